// Light, dark, or as the system says; remembered where the browser allows it for a file.
import type { Scene } from "./scene.ts";

export type Theme = "auto" | "light" | "dark";
const KEY = "shoal-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function startTheme(scene: Scene): { get: () => Theme; next: () => Theme } {
  let theme: Theme = remembered();
  const apply = () => {
    scene.dark = theme === "dark" || (theme === "auto" && system.matches);
    document.documentElement.dataset.theme = scene.dark ? "dark" : "light";
    scene.tell("theme");
  };
  system.addEventListener("change", apply);
  apply();
  return {
    get: () => theme,
    next: () => {
      // From "auto" first to what one does not see at this moment.
      const other = system.matches ? "light" : "dark";
      theme = theme === "auto" ? other : theme === other ? (other === "dark" ? "light" : "dark") : "auto";
      try {
        localStorage.setItem(KEY, theme);
      } catch {
        // A page from disk may have no storage: then the choice lasts as long as the page.
      }
      apply();
      return theme;
    },
  };
}

function remembered(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto";
  }
}
