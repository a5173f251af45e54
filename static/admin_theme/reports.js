// Fetches the small pictures of reports one after the other, so that a long one keeps nobody from the page.
(() => {
  "use strict";

  const fill = async (place) => {
    try {
      const answer = await fetch(place.dataset.qPreview, { headers: { "X-Requested-With": "XMLHttpRequest" } });
      if (!answer.ok) throw new Error(String(answer.status));
      place.innerHTML = await answer.text();
      place.dispatchEvent(new CustomEvent("q:charts", { bubbles: true }));
    } catch {
      place.textContent = "The picture could not be fetched. Open the report.";
    }
    place.removeAttribute("aria-busy");
  };

  window.addEventListener("load", async () => {
    const places = [...document.querySelectorAll("[data-q-preview]")];
    places.forEach((place) => place.setAttribute("aria-busy", "true"));
    for (const place of places) await fill(place);
  });
})();
