import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  // Names of classes follow from the styles alone, so that the same sources give the same bytes anywhere.
  compilerOptions: { runes: true, cssHash: ({ hash, css }) => `g-${hash(css)}` },
};
