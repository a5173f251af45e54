// Tabs of a page, rows that open, and menus that close again. Without this script a page shows its first tab and closed
// rows; a menu opens and closes by its own button.
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

  const closed = (menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  };

  const moved = (menu, event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    menu.open = true;
    const links = [...menu.querySelectorAll("a")];
    const place = links.indexOf(document.activeElement);
    const next = place < 0 ? (step > 0 ? 0 : links.length - 1) : (place + step + links.length) % links.length;
    links[next]?.focus();
  };

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details[data-q-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("focusin", (event) => {
    for (const menu of document.querySelectorAll("details[data-q-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details[data-q-menu]");
    if (!menu) return;
    if (event.key === "Escape" && menu.open) closed(menu);
    else moved(menu, event);
  });

  // A part of a form that counts for one choice only is hidden, and not sent, while another one is chosen.
  const shownBy = (part) => {
    const choice = document.getElementById(part.dataset.qShownBy);
    if (!choice) return;
    const whole = part.closest(".q-field") || part;
    const apply = () => {
      whole.hidden = choice.value !== part.dataset.qShownFor;
      for (const box of part.querySelectorAll("input")) box.disabled = whole.hidden;
    };
    choice.addEventListener("change", apply);
    apply();
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-q-shown-by]").forEach(shownBy);
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
