// The plan editor: shows the fields of the chosen model, adds and removes tiers, and asks the server what the prices
// come to while somebody types. Without this script the form works with the rows that it has.
(() => {
  "use strict";

  const WAIT = 250;

  const editor = (form) => {
    const url = form.dataset.qEditor;
    const timers = new Map();
    const asked = new Map();
    const blocks = () => [...form.querySelectorAll("[data-q-price]")];

    const showModel = (block, model) => {
      block.dataset.qModel = model;
      for (const part of block.querySelectorAll("[data-q-models]")) {
        const isOn = part.dataset.qModels.split(" ").includes(model);
        part.hidden = !isOn;
        part.disabled = !isOn;
      }
      const head = block.querySelector("[data-q-tier-price]");
      if (head) head.textContent = model === "graduated_percentage" ? "Percent" : "Price per unit";
    };

    const tell = (block, found) => {
      block.querySelector("[data-q-sample]").innerHTML = found.html;
      for (const place of block.querySelectorAll("[data-q-error]")) {
        place.textContent = found.errors[place.dataset.qError] || "";
      }
      const rows = [...block.querySelectorAll("[data-q-tiers] tr")];
      const filled = rows.filter((row) => [...row.querySelectorAll("input")].slice(0, 2).some((one) => one.value.trim()));
      for (const row of rows) row.querySelector("[data-q-tier-error]").textContent = "";
      filled.forEach((row, number) => {
        row.querySelector("[data-q-tier-error]").textContent = found.tiers[number] || "";
      });
    };

    const ask = async (block) => {
      const name = block.dataset.qPrice;
      const turn = (asked.get(name) || 0) + 1;
      asked.set(name, turn);
      const body = new FormData(form);
      body.set("block", name);
      const answer = await fetch(url, { method: "POST", body, credentials: "same-origin" });
      if (!answer.ok || asked.get(name) !== turn) return;
      tell(block, await answer.json());
    };

    const later = (block) => {
      clearTimeout(timers.get(block));
      timers.set(block, setTimeout(() => ask(block), WAIT));
    };

    form.addEventListener("input", (event) => {
      const block = event.target.closest("[data-q-price]");
      if (!block) return;
      if (event.target.name === `${block.dataset.qPrice}-model`) {
        showModel(block, event.target.value);
        for (const part of blocks().filter((one) => one.dataset.qFollows === block.dataset.qPrice)) {
          showModel(part, event.target.value);
          later(part);
        }
      }
      later(block);
    });

    form.addEventListener("click", (event) => {
      const add = event.target.closest("[data-q-add]");
      const remove = event.target.closest("[data-q-remove]");
      if (!add && !remove) return;
      const block = event.target.closest("[data-q-price]");
      const rows = block.querySelector("[data-q-tiers]");
      if (add) {
        const row = rows.lastElementChild.cloneNode(true);
        for (const input of row.querySelectorAll("input")) input.value = input.name.endsWith("-flat") ? "0" : "";
        row.querySelector("[data-q-tier-error]").textContent = "";
        rows.append(row);
        row.querySelector("input").focus();
      } else if (rows.children.length > 1) {
        remove.closest("tr").remove();
      }
      later(block);
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("[data-q-editor]")) editor(form);
  });
})();
