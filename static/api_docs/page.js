"use strict";

// The page follows the system's choice of light and dark, also while it is open.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

// Swagger UI's own filter knows the names of groups alone. This one also finds paths, names and summaries.
window.SearchOperations = () => ({
  fn: {
    opsFilter: (groups, phrase) => {
      const wanted = phrase.toLowerCase().split(/\s+/).filter(Boolean);
      const has = (text) => wanted.every((word) => text.toLowerCase().includes(word));
      const told = (one) => {
        const operation = one.get("operation");
        const texts = [one.get("method"), one.get("path"), operation.get("operationId"), operation.get("summary")];
        return texts.filter(Boolean).join(" ");
      };
      const found = (group, name) =>
        has(name) ? group : group.set("operations", group.get("operations").filter((one) => has(told(one))));
      return groups.map(found).filter((group) => group.get("operations").size > 0);
    },
  },
});
