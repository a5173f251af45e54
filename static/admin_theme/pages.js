// Tabs of a page, and rows that open. Without this script a page shows its first tab and closed rows.
(() => {
  "use strict";

  const show = (tabbed, name) => {
    const panels = [...tabbed.querySelectorAll("[data-q-panel]")];
    if (!panels.some((panel) => panel.dataset.qPanel === name)) return false;
    for (const panel of panels) panel.hidden = panel.dataset.qPanel !== name;
    for (const tab of tabbed.querySelectorAll("[data-q-tab]")) {
      const isOn = tab.dataset.qTab === name;
      tab.classList.toggle("q-active", isOn);
      tab.setAttribute("aria-selected", String(isOn));
    }
    window.dispatchEvent(new Event("resize"));
    return true;
  };

  const toggle = (row) => {
    const details = row.nextElementSibling;
    const isOpen = row.getAttribute("aria-expanded") === "true";
    row.setAttribute("aria-expanded", String(!isOpen));
    details.hidden = isOpen;
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const tabbed of document.querySelectorAll("[data-q-tabs]")) {
      const named = () => decodeURIComponent(window.location.hash.slice(1));
      show(tabbed, named());
      window.addEventListener("hashchange", () => show(tabbed, named()));
      tabbed.addEventListener("click", (event) => {
        const tab = event.target.closest("[data-q-tab]");
        if (!tab) return;
        event.preventDefault();
        if (show(tabbed, tab.dataset.qTab)) window.history.replaceState(null, "", `#${tab.dataset.qTab}`);
      });
    }
    document.addEventListener("click", (event) => {
      if (event.target.closest("a, button, input")) return;
      const row = event.target.closest("tr[data-q-opens]");
      if (row) toggle(row);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      if (!event.target.matches("tr[data-q-opens]")) return;
      event.preventDefault();
      toggle(event.target);
    });
  });
})();
