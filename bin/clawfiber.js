#!/usr/bin/env node
// Plain JavaScript of an old dialect on purpose: an old Node must be able to read it and say what is missing.
import { existsSync } from "fs"

var major = Number(process.versions.node.split(".")[0])
if (major < 24) {
  process.stderr.write(
    "clawfiber needs Node 24 or later; this is Node " +
      process.versions.node +
      ". Install one from your system, or run: npx -p node@24 -p clawfiber clawfiber\n"
  )
  process.exit(1)
}
// A checkout has its sources, which this Node runs as they are; the package has them built.
var sources = "../src/main.ts"
import(existsSync(new URL(sources, import.meta.url)) ? sources : "../dist/main.js").catch(function (error) {
  process.stderr.write("clawfiber could not start: " + (error && error.message ? error.message : String(error)) + "\n")
  process.exit(1)
})
