// The live log: new bytes come as events and become text, never markup. The stream is closed while nobody looks
// at the tab, because a browser opens few connections to one site, and continues from the byte where it stopped.
const MOST_LINES = 5000;
const box = element.querySelector(".lb-log");
const text = element.querySelector(".lb-log-text");
const stateWords = element.querySelector(".lb-log-state");
const notice = element.querySelector(".lb-log-notice");
const followButton = element.querySelector(".lb-log-follow");
const wrapButton = element.querySelector(".lb-log-wrap");
const jobId = new URLSearchParams(window.location.search).get("id");
const escapes = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]/g;
// What has no shape of its own, or turns others round, is shown as its number; in a capture, so that split keeps it.
const hidden = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point})/u;
const MOST_SIGNS = 200;
const AWAY = "The platform does not answer. The text so far stays; it goes on by itself.";
let offset = null, source = null, over = false, following = true, openLine = null, held = "", heldOwn = false, known = null;

function showNotice(words) { notice.textContent = words; notice.hidden = !words; }

function setFollowing(on) {
  following = on;
  followButton.textContent = on ? "Pause" : "Follow";
  followButton.setAttribute("aria-pressed", String(on));
  if (on) text.scrollTop = text.scrollHeight;
}

function number(sign) { return "\u2039U+" + sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "\u203a"; }

// One node for one line: text, or an element where it is the platform's or holds what must be shown.
function nodeOf(line, own, end) {
  const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
  const parts = whole.slice(whole.lastIndexOf("\r") + 1).replace(escapes, "").split(hidden);
  if (parts.length === 1 && !own) return document.createTextNode(parts[0] + end);
  const node = document.createElement("span");
  if (own) node.className = "lb-log-own";
  parts.forEach((part, at) => {
    if (at % 2 === 0) { node.append(part); return; }
    if (at > 2 * MOST_SIGNS) { node.append(number(part)); return; }
    const sign = document.createElement("span");
    sign.className = "lb-log-sign";
    sign.textContent = number(part);
    node.append(sign);
  });
  node.append(end);
  return node;
}

function addPart(piece, own, added) {
  if (held && own !== heldOwn) { added.append(nodeOf(held, heldOwn, "\n")); held = ""; }
  const lines = (held + piece).split("\n");
  heldOwn = own;
  held = lines.pop();
  for (const line of lines) added.append(nodeOf(line, own, "\n"));
}

// Only `platform` says which part of a piece is the platform's: what it reads proves nothing.
function append(piece, platform) {
  const added = document.createDocumentFragment();
  if (openLine) { openLine.remove(); openLine = null; }
  let at = 0;
  for (const [start, end] of platform) {
    if (at < start) addPart(piece.slice(at, start), false, added);
    addPart(piece.slice(start, end), true, added);
    at = end;
  }
  if (at < piece.length) addPart(piece.slice(at), false, added);
  if (held) { openLine = nodeOf(held.slice(-65536), heldOwn, ""); added.append(openLine); }
  text.append(added);
  while (text.childNodes.length > MOST_LINES) text.firstChild.remove();
  if (following) text.scrollTop = text.scrollHeight;
}

function onState(isFinal) {
  if (isFinal !== known) box.open = !isFinal || (known === false);
  known = isFinal;
  stateWords.textContent = isFinal ? "complete" : "live";
  followButton.hidden = isFinal;
  showNotice("");
}

function close() { if (source) { source.close(); source = null; } }

function connect() {
  if (over || source || !jobId) return;
  const place = offset === null ? "" : "?offset=" + offset;
  source = new EventSource("/jobs/" + encodeURIComponent(jobId) + "/log-events" + place);
  source.addEventListener("state", (event) => onState(JSON.parse(event.data).final));
  source.addEventListener("log", (event) => {
    const next = Number(event.lastEventId);
    if (offset === null || next > offset) {
      const found = JSON.parse(event.data);
      offset = next;
      append(found.text, found.platform || []);
    }
    showNotice("");
  });
  source.addEventListener("away", (event) => showNotice(JSON.parse(event.data).words || AWAY));
  source.addEventListener("over", (event) => {
    over = true;
    close();
    const why = JSON.parse(event.data).why;
    if (why) showNotice(why);
    if (why && known === null) box.hidden = true;
    if (!why && !text.childNodes.length) append("Nothing was printed.\n", []);
  });
  source.onerror = () => showNotice("The connection is interrupted. The text so far stays; it goes on by itself.");
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
