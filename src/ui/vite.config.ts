import { fileURLToPath } from "node:url"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

// While the page is being worked on: `npx vite src/ui` with CLAWFIBER_PAGE_PLATFORM=http://127.0.0.1:8787.
const platform = process.env["CLAWFIBER_PAGE_PLATFORM"]

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  plugins: [react()],
  build: {
    outDir: "../../dist/ui",
    emptyOutDir: true,
    target: "es2022",
    // The platform sends `script-src 'self'`: nothing may be inlined into the document, no data: fonts either.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900
  },
  ...(platform === undefined
    ? {}
    : {
        server: {
          proxy: Object.fromEntries(
            ["/api", "/files", "/ws", "/v1", "/control", "/places.json"].map((path) => [
              path,
              { target: platform, ws: path === "/ws" }
            ])
          )
        }
      })
})
