/** `npm run test:long`: what takes long. */
import { defineConfig } from "vitest/config"
import short, { long } from "./vitest.config.ts"

export default defineConfig({
  test: { ...short.test, include: long, exclude: ["**/node_modules/**"] }
})
