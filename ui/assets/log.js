// The live log: new bytes come as events and become text nodes, never markup. The stream is closed while nobody looks
// at the tab, because a browser opens few connections to one site, and continues from the byte where it stopped.
const MOST_LINES = 5000;
const box = element.querySelector(".lb-log");
const text = element.querySelector(".lb-log-text");
const stateWords = element.querySelector(".lb-log-state");
const notice = element.querySelector(".lb-log-notice");
const followButton = element.querySelector(".lb-log-follow");
const wrapButton = element.querySelector(".lb-log-wrap");
const jobId = new URLSearchParams(window.location.search).get("id");
const escapes = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const own = "[leadersboard]";
let offset = null, source = null, over = false, following = true, openLine = null, held = "", known = null;

function tell(words) { notice.textContent = words; notice.hidden = !words; }

function setFollowing(on) {
  following = on;
  followButton.textContent = on ? "Pause" : "Follow";
  followButton.setAttribute("aria-pressed", String(on));
  if (on) text.scrollTop = text.scrollHeight;
}

function shown(line) {
  const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
  const bare = whole.slice(whole.lastIndexOf("\r") + 1).replace(escapes, "");
  // No line of a run begins as the platform's own do, but one might read so once its escapes are gone.
  return line.startsWith(own) ? bare : bare.replaceAll(own, "[leadersboard)");
}

function append(piece) {
  const lines = (held + piece).split("\n");
  held = lines.pop();
  const added = document.createDocumentFragment();
  if (openLine) { openLine.remove(); openLine = null; }
  for (const line of lines) added.append(document.createTextNode(shown(line) + "\n"));
  if (held) { openLine = document.createTextNode(shown(held.slice(-65536))); added.append(openLine); }
  text.append(added);
  while (text.childNodes.length > MOST_LINES) text.firstChild.remove();
  if (following) text.scrollTop = text.scrollHeight;
}

function onState(isFinal) {
  if (isFinal !== known) box.open = !isFinal || (known === false);
  known = isFinal;
  stateWords.textContent = isFinal ? "complete" : "live";
  followButton.hidden = isFinal;
  tell("");
}

function close() { if (source) { source.close(); source = null; } }

function connect() {
  if (over || source || !jobId) return;
  const place = offset === null ? "" : "?offset=" + offset;
  source = new EventSource("/jobs/" + encodeURIComponent(jobId) + "/log-events" + place);
  source.addEventListener("state", (event) => onState(JSON.parse(event.data).final));
  source.addEventListener("log", (event) => {
    const next = Number(event.lastEventId);
    if (offset === null || next > offset) { offset = next; append(JSON.parse(event.data).text); }
    tell("");
  });
  source.addEventListener("away", () => tell("The platform does not answer. The text so far stays; it goes on by itself."));
  source.addEventListener("over", (event) => {
    over = true;
    close();
    const why = JSON.parse(event.data).why;
    if (why) tell(why);
    if (why && known === null) box.hidden = true;
    if (!why && !text.childNodes.length) append("Nothing was printed.\n");
  });
  source.onerror = () => tell("The connection is interrupted. The text so far stays; it goes on by itself.");
}

function onVisibility() {
  if (!element.isConnected) return;
  if (document.hidden) close(); else connect();
}

followButton.addEventListener("click", () => setFollowing(!following));
wrapButton.addEventListener("click", () => {
  wrapButton.setAttribute("aria-pressed", String(text.classList.toggle("lb-wrapped")));
});
text.addEventListener("scroll", () => {
  const atEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 24;
  if (atEnd !== following && !followButton.hidden) setFollowing(atEnd);
});
box.addEventListener("toggle", () => { if (box.open) text.scrollTop = text.scrollHeight; });
document.addEventListener("visibilitychange", onVisibility);
window.addEventListener("pagehide", close);
if (!jobId) element.hidden = true;
onVisibility();
