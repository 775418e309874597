/* A stand-in for the driver's library: one device, whose memory in use, in MiB, is in a file. */
#include <stdio.h>
#include <string.h>

typedef struct { unsigned version; unsigned long long total, reserved, free, used; } Memory;

int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 1; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = (void *)1; return index ? 2 : 0; }

int nvmlDeviceGetUUID(void *device, char *uuid, unsigned length) {
  if (device != (void *)1 || length < 96) return 2;
  strcpy(uuid, "GPU-00000000-1111-2222-3333-444444444444");
  return 0;
}

int nvmlDeviceGetMemoryInfo_v2(void *device, Memory *memory) {
  unsigned long long used = 0;
  FILE *file = fopen("/gpu/used", "r");
  if (device != (void *)1 || memory->version != 0x02000028 || !file) return 25;
  if (fscanf(file, "%llu", &used) != 1) used = 0;
  fclose(file);
  memory->total = 80ull << 30;
  memory->reserved = 600ull << 20;
  memory->used = used << 20;
  memory->free = memory->total - memory->reserved - memory->used;
  return 0;
}
