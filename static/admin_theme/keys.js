// Keys for those who would rather not reach for the mouse: go somewhere, walk the rows of a list, tick and open them.
// They keep quiet while somebody types, and one who does not want them switches them off in their own dialog. What they
// do is following links and ticking boxes that are on the page: whoever may not do a thing has no key for it either.
(() => {
  "use strict";

  const OFF = "quittance.keys.off";
  const PATIENT = 1500;
  const PLACES = {
    o: ["Overview", "/admin/"],
    c: ["Customers", "/customers/customer/"],
    s: ["Subscriptions", "/billing/subscription/"],
    k: ["Contracts", "/billing/contract/"],
    q: ["Quotes", "/billing/quote/"],
    i: ["Invoices", "/invoicing/invoice/"],
    n: ["Credit notes", "/invoicing/creditnote/"],
    p: ["Payments", "/invoicing/payment/"],
    w: ["Wallets", "/invoicing/wallet/"],
    m: ["E-mails", "/invoicing/delivery/"],
    u: ["Usage", "/billing/usageevent/"],
    b: ["Billing runs", "/billing/billingrun/"],
    l: ["Plans", "/catalog/plan/"],
    r: ["Reports", "/admin/reports/"],
    a: ["Approvals", "/platform/approvalrequest/"],
  };
  const ROWS = "#result_list tbody > tr.data-row, .q-table tbody > tr:not([hidden])";
  const TYPED_IN = "input, textarea, select, [contenteditable], [role=textbox], [role=combobox], .select2-container";

  let dialog = null;
  let waitsUntil = 0;

  const isOff = () => {
    try {
      return localStorage.getItem(OFF) === "1";
    } catch {
      return false; // a browser that keeps nothing
    }
  };

  const isShown = (element) => element.getClientRects().length > 0;

  const isTyping = (target) => {
    if (!(target instanceof Element)) return false;
    if (target.matches("input[type=checkbox], input[type=radio]")) return false;
    return Boolean(target.closest(TYPED_IN)) && isShown(target);
  };

  const place = (letter) => {
    if (!PLACES[letter]) return null;
    const [, path] = PLACES[letter];
    const links = [...document.querySelectorAll("#nav-sidebar a[href], aside a[href], nav a[href]")];
    return links.find((link) => {
      const found = new URL(link.href, window.location.href).pathname;
      return path.startsWith("/admin/") ? found === path : found === `/admin${path}`;
    });
  };

  const rows = () => [...document.querySelectorAll(ROWS)].filter((row) => isShown(row) && row.querySelector("td, th a"));
  const marked = () => document.activeElement?.closest?.(ROWS) || document.querySelector("[data-q-marked]");

  const mark = (row) => {
    for (const other of document.querySelectorAll("[data-q-marked]")) other.removeAttribute("data-q-marked");
    row.setAttribute("data-q-marked", "");
    if (!row.hasAttribute("tabindex")) row.setAttribute("tabindex", "-1");
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };

  const step = (by) => {
    const every = rows();
    if (!every.length) return false;
    const now = every.indexOf(marked());
    const next = now < 0 ? (by > 0 ? 0 : every.length - 1) : Math.min(Math.max(now + by, 0), every.length - 1);
    mark(every[next]);
    return true;
  };

  const open = (row) => {
    const link = row.querySelector("th a[href], td a[href]");
    if (!link) return false;
    link.click();
    return true;
  };

  const tick = (row) => {
    const box = row.querySelector("input.action-select");
    if (!box) return false;
    box.click();
    row.focus({ preventScroll: true });
    return true;
  };

  const turn = (by) => {
    const page = new URLSearchParams(window.location.search);
    const wanted = Number(page.get("p") || "1") + by;
    const link = [...document.querySelectorAll("a[href*='p=']")].find((one) => {
      const to = new URL(one.href, window.location.href);
      return to.pathname === window.location.pathname && Number(to.searchParams.get("p")) === wanted;
    });
    if (!link) return false;
    link.click();
    return true;
  };

  const search = () => {
    if (document.getElementById("searchbar")) return false; // the theme puts the cursor there itself
    window.dispatchEvent(new CustomEvent("opencommand"));
    return true;
  };

  const made = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  const line = (keys, words) =>
    made(
      "div",
      { class: "q-keys-line" },
      made("dt", {}, ...keys.flatMap((key, at) => (at ? [" ", made("kbd", {}, key)] : [made("kbd", {}, key)]))),
      made("dd", {}, words),
    );

  const part = (title, lines) => [made("h3", {}, title), made("dl", {}, ...lines)];

  const build = () => {
    const places = Object.entries(PLACES).filter(([letter]) => place(letter));
    const box = made("input", { type: "checkbox", id: "q-keys-on" });
    box.checked = !isOff();
    box.addEventListener("change", () => {
      try {
        localStorage.setItem(OFF, box.checked ? "0" : "1");
      } catch {
        box.checked = true;
      }
    });
    const close = made("button", { type: "button", class: "q-keys-close", "aria-label": "Close" }, "×");
    const found = made(
      "dialog",
      { class: "q-keys", "aria-labelledby": "q-keys-title" },
      made("header", {}, made("h2", { id: "q-keys-title" }, "Keys"), close),
      made(
        "div",
        { class: "q-keys-parts" },
        made(
          "section",
          {},
          ...part("On every page", [
            line(["/"], "Search the list, or everything"),
            line(["Ctrl", "K"], "Search everything"),
            line(["?"], "Show or hide these keys"),
          ]),
          ...part("On a list", [
            line(["j"], "Next row"),
            line(["k"], "Row before"),
            line(["Enter"], "Open the row"),
            line(["x"], "Tick the row"),
            line(["]"], "Next page"),
            line(["["], "Page before"),
          ]),
        ),
        made("section", {}, ...part("Go to", places.map(([letter, [name]]) => line(["g", letter], name)))),
      ),
      made("label", { class: "q-keys-switch", for: "q-keys-on" }, box, " Use keys in this browser"),
    );
    close.addEventListener("click", () => found.close());
    found.addEventListener("click", (event) => {
      if (event.target === found) found.close();
    });
    document.body.append(found);
    return found;
  };

  const help = () => {
    dialog ??= build();
    if (dialog.open) dialog.close();
    else dialog.showModal();
    return true;
  };

  const KEYS = {
    "?": help,
    "/": search,
    j: () => step(1),
    k: () => step(-1),
    x: () => Boolean(marked()) && tick(marked()),
    "]": () => turn(1),
    "[": () => turn(-1),
    g: () => {
      waitsUntil = Date.now() + PATIENT;
      return true;
    },
  };

  const went = (key) => {
    const waited = Date.now() < waitsUntil;
    waitsUntil = 0;
    if (!waited) return false;
    const link = place(key);
    if (link) link.click();
    return Boolean(link);
  };

  const opened = (event) => {
    const row = event.target.closest?.("[data-q-marked]");
    return Boolean(row) && event.target === row && !row.matches("[data-q-opens]") && open(row);
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat && event.key !== "j" && event.key !== "k") return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const isHelp = event.key === "?";
    if (isOff() && !(isHelp && dialog?.open)) return;
    if (document.querySelector("dialog[open]") && !(isHelp && dialog?.open)) return;
    const isDone = went(event.key) || (event.key === "Enter" ? opened(event) : Boolean(KEYS[event.key]?.()));
    if (isDone) event.preventDefault();
  });

  document.addEventListener("DOMContentLoaded", () => {
    const content = document.getElementById("content-main") || document.getElementById("content");
    if (content) {
      if (!content.hasAttribute("tabindex")) content.setAttribute("tabindex", "-1");
      const skip = made("a", { class: "q-skip", href: `#${content.id}` }, "Skip to the content");
      skip.addEventListener("click", (event) => {
        event.preventDefault(); // the hash of a page names its tab
        content.focus();
      });
      document.body.prepend(skip);
    }
    for (const button of document.querySelectorAll("[data-q-keys]")) {
      button.hidden = false;
      button.addEventListener("click", help);
    }
  });
})();
