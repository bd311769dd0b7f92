/** The table of settings as text: `.env.example`, and the configuration table of the README. A test holds both to it. */
import * as Settings from "../services/channel/Settings.ts"

const titles: Readonly<Record<Settings.Topic, string>> = {
  InstaClaw: "The InstaClaw platform that `connect` speaks to. `up` takes none of these up.",
  Model: "The model that answers. Without any of these the offline agent does.",
  Replies: "Replies",
  Journal: "The journal: what was taken, and how it ended",
  Limits: "Limits",
  Platform: "The platform's mailbox, database and issuer of tokens",
  Program: "The program itself"
}

const topics: ReadonlyArray<Settings.Topic> = [
  "InstaClaw",
  "Model",
  "Replies",
  "Journal",
  "Limits",
  "Platform",
  "Program"
]

const variables: ReadonlyArray<Settings.Variable<unknown>> = Object.values(Settings.table)

export const envExample = (): string => {
  const lines = [
    "# Settings of clawfiber. Copy to .env and uncomment what you change: every line shows its default, an empty one",
    "# has none. Variables of the environment win over this file. Durations are milliseconds."
  ]
  for (const topic of topics) {
    lines.push("", `# --- ${titles[topic]}`)
    for (const variable of variables.filter((variable) => variable.topic === topic)) {
      lines.push(
        "",
        `# ${variable.about}`,
        `# Allowed: ${variable.allowed}.`,
        `# ${variable.name}=${variable.fallback}`
      )
    }
  }
  return `${lines.join("\n")}\n`
}

export const markdownTable = (): string =>
  [
    "| variable | default | meaning |",
    "|---|---|---|",
    ...variables.map(
      (variable) =>
        `| \`${variable.name}\` | ${variable.fallback === "" ? "" : `\`${variable.fallback}\``} | ${variable.about} Allowed: ${variable.allowed}. |`
    )
  ].join("\n")
