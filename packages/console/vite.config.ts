import { defineConfig } from 'vite'

/** The files go where the service looks for them; the service may lie below any path. */
// biome-ignore lint/style/noDefaultExport: Vite wants it so.
export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../server/src/console/files',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
