// The form: files chosen or dropped, checked, uploaded with progress to a route of ours, then queued. What is refused is
// told at its field and above the button; what was typed and chosen stays.
const MOST_BYTES = 100000000;
const NAMES = /\.(py|yaml|yml|zip|tar\.gz|tgz)$/i;
const ALLOWED = "allowed are .py, .yaml, .yml, requirements.txt, .zip, .tar.gz and .tgz";
const AWAY = "The connection broke off. Nothing was queued. Check the network and submit again.";
let chosen = [], request = null, dragged = 0;

const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[name="${name}"]`);
const size = (bytes) => bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

function made(tag, words, className) {
  const part = document.createElement(tag);
  part.textContent = words;
  if (className) part.className = className;
  return part;
}

function showFiles() {
  const list = find(".lb-files");
  list.replaceChildren(...chosen.map((file) => {
    const item = document.createElement("li");
    const remove = made("button", "Remove", "lb-quiet");
    remove.type = "button";
    remove.setAttribute("aria-label", "Remove " + file.name);
    remove.addEventListener("click", () => {
      chosen = chosen.filter((one) => one !== file);
      setFault("files", []);
      showFiles();
      field("files").focus();
    });
    item.append(made("span", file.name, "lb-file-name"), made("span", size(file.size), "lb-faint"), remove);
    return item;
  }));
  list.hidden = !chosen.length;
}

function add(files) {
  const names = new Set([...files].map((file) => file.name));
  chosen = chosen.filter((file) => !names.has(file.name)).concat(...files);
  setFault("files", []);
  showFiles();
}

function setFault(name, rules) {
  const place = find(`[data-fault="${name}"]`);
  if (!place) return false;
  place.replaceChildren(...rules.map((rule) => made("span", rule)));
  place.hidden = !rules.length;
  field(name).setAttribute("aria-invalid", String(rules.length > 0));
  if (rules.length) field(name).closest("details")?.setAttribute("open", "");
  return true;
}

function clearFaults() {
  for (const place of element.querySelectorAll("[data-fault]")) setFault(place.dataset.fault, []);
  find(".lb-outcome").replaceChildren();
}

function showFaults(faults) {
  for (const name of new Set(faults.map((fault) => fault.field))) {
    setFault(name, faults.filter((fault) => fault.field === name).map((fault) => fault.rule));
  }
  find('[aria-invalid="true"]')?.focus();
}

function refuse(faults) {
  const box = made("div", "", "lb-notice lb-notice-error");
  box.setAttribute("role", "alert");
  const list = document.createElement("ul");
  for (const { label, rule } of faults) list.append(made("li", label ? `${label}: ${rule}` : rule));
  box.append(made("div", "The submission was not sent", "lb-notice-what"), list);
  find(".lb-outcome").replaceChildren(box);
  showFaults(faults);
}

function showNotice(words) {
  const box = made("div", "", "lb-notice lb-notice-passing");
  box.setAttribute("role", "alert");
  box.append(made("div", "The submission was not accepted", "lb-notice-what"), made("div", words));
  find(".lb-outcome").replaceChildren(box);
}

function object(name, label, faults) {
  try {
    const value = JSON.parse(field(name).value.trim() || "{}");
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
    faults.push({ field: name, label, rule: 'This is not a JSON object such as {"note": "second try"}.' });
  } catch (error) {
    faults.push({ field: name, label, rule: `This is not JSON: ${error.message}.` });
  }
  return {};
}

function fileFaults() {
  if (!chosen.length) return ["Choose at least one file to submit."];
  const rules = chosen.filter((file) => file.name !== "requirements.txt" && !NAMES.test(file.name)).map((file) => `${file.name} is not accepted; ${ALLOWED}.`);
  const bytes = chosen.reduce((sum, file) => sum + file.size, 0);
  if (bytes > MOST_BYTES) rules.push(`The files have ${size(bytes)}; at most 100 MB go at once. Leave out data, which runs find in /data, and weights that this site has in /weights; its admin adds others of any size.`);
  return rules;
}

function understood() {
  const faults = fileFaults().map((rule) => ({ field: "files", rule }));
  for (const [name, label] of [["entrypoint", "Entrypoint"], ["config_file", "Config file"]]) {
    if (!field(name).value.trim()) faults.push({ field: name, label, rule: "Say which file it is." });
  }
  const overrides = object("overrides", "Overrides", faults);
  object("metadata", "Metadata", faults);
  return { faults, overrides };
}

function setBusy(words, trial) {
  for (const button of element.querySelectorAll(".lb-send")) button.disabled = Boolean(words);
  find(".lb-send:not(.lb-try)").textContent = words && !trial ? "Submitting…" : "Submit";
  find(".lb-try").textContent = words && trial ? "Trying…" : "Try it";
  find(".lb-progress").hidden = !words;
  find(".lb-progress-words").textContent = words;
}

function onProgress(event) {
  const share = event.total ? event.loaded / event.total : 0;
  const bar = find("progress");
  if (share < 1) bar.value = share; else bar.removeAttribute("value");
  find(".lb-progress-words").textContent = share < 1
    ? `Uploading: ${size(event.loaded)} of ${size(event.total)}` : "Checking the files…";
}

function send(path, body, kind) {
  return new Promise((resolve, reject) => {
    request = new XMLHttpRequest();
    request.open("POST", path);
    if (kind) request.setRequestHeader("Content-Type", kind); else request.upload.addEventListener("progress", onProgress);
    request.addEventListener("load", () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* an answer of something in between */ }
      if (request.status < 300) resolve(answer); else reject(answer);
    });
    request.addEventListener("error", () => reject({ detail: AWAY }));
    request.addEventListener("abort", () => reject({ detail: "You stopped the upload. Nothing was queued." }));
    request.send(body);
  });
}

function formData() {
  const form = new FormData();
  for (const name of ["entrypoint", "config_file", "metadata"]) form.append(name, field(name).value.trim() || (name === "metadata" ? "{}" : ""));
  for (const file of chosen) form.append("files", file, file.name);
  return form;
}

function paragraph(text) {
  const made = document.createElement("p");
  made.className = "lb-info";
  made.textContent = text;
  return made;
}

async function submit(trial) {
  if (request) return;
  clearFaults();
  const { faults, overrides } = understood();
  if (faults.length) { refuse(faults); return; }
  find("progress").value = 0;
  setBusy("Uploading…", trial);
  try {
    const stored = await send("/submissions", formData());
    find(".lb-stop").hidden = true;
    setBusy("Queuing…", trial);
    const wish = { benchmark: field("benchmark").value || null, resource_class: field("resource_class").value || null, overrides, trial };
    const queued = await send(`/submissions/${encodeURIComponent(stored.submission_id)}/jobs`, JSON.stringify(wish), "application/json");
    find(".lb-outcome").innerHTML = queued.html;
    for (const note of stored.notes) find(".lb-outcome").append(paragraph(note));
    chosen = [];
    showFiles();
  } catch (answer) {
    if (answer.html) find(".lb-outcome").innerHTML = answer.html;
    else showNotice(typeof answer.detail === "string" ? answer.detail : "The platform does not answer at the moment. Submit again in a minute.");
    showFaults(answer.faults || []);
  } finally {
    request = null;
    setBusy("");
    find(".lb-stop").hidden = false;
  }
  find(".lb-outcome").scrollIntoView({ block: "nearest" });
}

function onDrop(event) {
  const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const folders = items.map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory);
  const names = new Set(folders.map((entry) => entry.name));
  add([...event.dataTransfer.files].filter((file) => !names.has(file.name)));
  if (names.size) setFault("files", [`${[...names].join(", ")}: A folder goes as one .zip or .tar.gz.`]);
}

function setDragged(on) { find(".lb-drop")?.classList.toggle("lb-over", on); }

element.addEventListener("submit", (event) => { event.preventDefault(); submit(event.submitter?.value === "trial"); });
element.addEventListener("click", (event) => { if (event.target.closest(".lb-stop")) request?.abort(); });
element.addEventListener("change", (event) => {
  if (event.target.type === "file") { add(event.target.files); event.target.value = ""; return; }
  for (const about of element.querySelectorAll(`[data-about="${event.target.name}"]`)) about.hidden = about.dataset.name !== event.target.value;
});
// While typing, not when the field is left: a line that vanishes under a click moves the button away from it.
element.addEventListener("input", (event) => { if (event.target.type !== "file") setFault(event.target.name, []); });
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  element.addEventListener(kind, (event) => {
    if (!event.target.closest(".lb-form") || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    if (kind === "dragenter") dragged += 1;
    if (kind === "dragleave") dragged -= 1;
    if (kind === "drop") { dragged = 0; onDrop(event); }
    setDragged(dragged > 0);
  });
}
