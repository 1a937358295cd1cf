import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

/** Makes the script fit between `<script>` and `</script>`: HTML gives these letters a meaning of its own there. */
function inlinable(): Plugin {
  return {
    name: "inlinable",
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle))
        if (file.type === "chunk")
          file.code = file.code.replaceAll("<!--", "\\x3c!--").replace(/<(\/?script)/gi, "\\x3c$1");
    },
  };
}

/** The folder of the package that a module comes from, or null where it is ours. */
function packageOf(id: string): string | null {
  const path = id.replace(/^\0/, "").split("?")[0] ?? "";
  if (!path.includes("/node_modules/")) return null;
  let folder = dirname(path);
  while (!(existsSync(join(folder, "package.json")) && /node_modules\/(@[^/]+\/)?[^/]+$/.test(folder)))
    folder = dirname(folder);
  return folder;
}

/** Writes the licences of all packages whose code is in the script. */
function licences(): Plugin {
  return {
    name: "licences",
    generateBundle(_, bundle) {
      const folders = new Set<string>();
      for (const file of Object.values(bundle))
        if (file.type === "chunk")
          for (const [id, module] of Object.entries(file.modules)) {
            const folder = module.renderedLength > 0 ? packageOf(id) : null;
            if (folder) folders.add(folder);
          }
      const parts = [...folders].map((folder) => {
        const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf-8"));
        const name = readdirSync(folder).find((file) => /^licen[sc]e/i.test(file));
        const text = name ? readFileSync(join(folder, name), "utf-8").trim() : "";
        return `${about.name} ${about.version} (${about.license})\n\n${text}\n`;
      });
      const source = ["glass.js holds code of these packages.\n", ...parts.sort()].join(`\n${"-".repeat(80)}\n\n`);
      this.emitFile({ type: "asset", fileName: "LICENSES.txt", source });
    },
  };
}

export default defineConfig({
  plugins: [svelte(), inlinable(), licences()],
  build: {
    outDir: "../src/unrolled/page/glass",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: false,
    lib: { entry: "src/main.ts", formats: ["iife"], name: "unrolled_glass", fileName: () => "glass.js", cssFileName: "glass" },
  },
});
