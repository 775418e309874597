// Relative times grow old while a page is open; they are told anew twice a minute.
(() => {
  const units = [[86400, "d"], [3600, "h"], [60, "min"]];
  const words = (seconds) => {
    for (const [length, unit] of units) if (seconds >= length) return Math.floor(seconds / length) + " " + unit + " ago";
    return "just now";
  };
  setInterval(() => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      time.textContent = words((Date.now() - Date.parse(time.dateTime)) / 1000);
    }
  }, 30000);
})();
