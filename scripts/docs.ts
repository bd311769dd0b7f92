// Writes what is derived from the table of settings: .env.example and the configuration table of the README.
import { readFileSync, writeFileSync } from "node:fs"
import { envExample, markdownTable } from "../src/programs/settingsText.ts"

writeFileSync(".env.example", envExample())
const readme = readFileSync("README.md", "utf8")
writeFileSync(
  "README.md",
  readme.replace(
    /<!-- settings -->[^]*<!-- \/settings -->/,
    () => `<!-- settings -->\n${markdownTable()}\n<!-- /settings -->`
  )
)
