// Bundles web/src into one self-contained page.html. With --check, fails if the committed page is not what the sources give.
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const options = { bundle: true, minify: true, write: false, charset: "utf8", legalComments: "none", absWorkingDir: here };

const script = await build({ ...options, entryPoints: ["src/main.ts"], format: "iife", target: "es2022" });
const style = await build({ ...options, entryPoints: ["src/style.css"], target: ["chrome111", "firefox113", "safari16.4"] });

// Functions as replacements: "$&" in the code must not be read as a pattern.
const page = readFileSync(join(here, "src/page.html"), "utf8")
  .replace("/*STYLE*/", () => style.outputFiles[0].text.trim())
  .replace("/*SCRIPT*/", () => script.outputFiles[0].text.trim());

for (const [what, count] of [["<!--DATA-->", 1], ["<script>", 1], ["</script>", 1]]) {
  const found = page.split(what).length - 1;
  if (found !== count) throw new Error(`the page holds ${what} ${found} times, not ${count}`);
}

const target = join(here, "page.html");
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== page) {
    console.error("web/page.html is not what web/src gives: run `make page` and commit it");
    process.exit(1);
  }
} else {
  writeFileSync(target, page);
  console.log(`web/page.html: ${(page.length / 1024).toFixed(1)} KB`);
}
