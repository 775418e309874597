# The inner engine: a dockerd that runs submissions and nothing else, from the distribution's packages.
#
# ENGINE_SUITE is the release whose engine is newer than the image's own (docs/deployment.md has both); where the mirror
# lacks it, the image's own is taken. runsc (gVisor) is in it for sites that choose SANDBOX_RUNTIME=runsc:
# docs/gvisor.md. EXTRA_PACKAGES adds more of them (a GPU host's container toolkit: docs/deployment.md); the secrets
# `apt_sources` and `apt_key` say where those come from and who signs them.
ARG BASE_IMAGE=python:3.13-slim-trixie
FROM ${BASE_IMAGE}
ARG EXTRA_PACKAGES=""
ARG ENGINE_SUITE=forky
# 10001 is the runner's group: it owns the socket. The folders are made here so that new volumes take their owner.
RUN groupadd --gid 10001 app \
 && install -d -o 10001 -g 10001 /shared /shared/submissions /shared/jobs /shared/benchmarks /shared/weights \
      /shared/labels \
 && install -d -m 0750 -g 10001 /run/engine && install -d /opt/containerd/bin /opt/containerd/lib
RUN --mount=type=secret,id=apt_sources --mount=type=secret,id=apt_key --mount=type=secret,id=ca \
    --mount=type=bind,source=engine-packages,target=/run/engine-packages \
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
 && if [ -s /run/secrets/ca ]; then echo 'Acquire::https::CAInfo "/run/secrets/ca";' > /etc/apt/apt.conf.d/00ca; fi \
 && if [ -s /run/secrets/apt_sources ]; then cp /run/secrets/apt_sources /etc/apt/sources.list.d/extra.sources; fi \
 && if [ -s /run/secrets/apt_key ]; then cp /run/secrets/apt_key /etc/apt/keyrings/extra.asc; fi \
 && /run/engine-packages "${ENGINE_SUITE}" ${EXTRA_PACKAGES} \
 && rm -rf /etc/apt/apt.conf.d/00ca /etc/apt/sources.list.d/extra.sources /var/lib/apt/lists/* /var/cache/apt/* \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --chmod=755 engine-entrypoint /usr/local/bin/engine-entrypoint
# /tmp is the home of the client that builds images in here: the root file system is read-only.
ENV DOCKER_HOST=unix:///run/engine/docker.sock HOME=/tmp LANG=C.UTF-8
VOLUME /var/lib/docker
ENTRYPOINT ["tini", "-s", "--", "engine-entrypoint"]
