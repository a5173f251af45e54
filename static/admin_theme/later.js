// Fetches the pieces of a page that take longer than the page itself, one after the other, and pieces of pieces. A piece
// may bring values for places elsewhere on the page: what stands in data-q-for goes to data-q-from of the same name.
(() => {
  "use strict";

  const spread = (piece) => {
    for (const value of piece.querySelectorAll("[data-q-for]")) {
      const name = CSS.escape(value.dataset.qFor);
      for (const place of document.querySelectorAll(`[data-q-from="${name}"]`)) place.textContent = value.textContent;
      value.remove();
    }
  };

  const fill = async (piece) => {
    try {
      const answer = await fetch(piece.dataset.qLater, {
        credentials: "same-origin",
        headers: { "X-Requested-With": "XMLHttpRequest" },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      piece.innerHTML = await answer.text();
      spread(piece);
      piece.dispatchEvent(new CustomEvent("q:charts", { bubbles: true }));
    } catch {
      piece.querySelector(".q-later-wait").textContent = "These figures could not be fetched. Load the page again.";
    }
    piece.removeAttribute("aria-busy");
    for (const inner of piece.querySelectorAll("[data-q-later]")) await fill(inner);
  };

  window.addEventListener("load", async () => {
    for (const piece of document.querySelectorAll("[data-q-later]")) await fill(piece);
  });
})();
