// A click on a column's head ranks by it without loading the page anew; the address always names what is shown.
element.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-metric]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  trigger("select", { metric: link.dataset.metric });
});
new MutationObserver(() => {
  const board = element.querySelector(".lb-board");
  if (board && window.location.search !== board.dataset.query) history.replaceState(null, "", board.dataset.query);
}).observe(element, { childList: true, subtree: true });
