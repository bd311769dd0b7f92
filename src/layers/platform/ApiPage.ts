/**
 * The page of the API, written from the OpenAPI description: plain HTML without scripts, so that it works offline and
 * under the strictest policy. Machines read `/openapi.json`.
 */

interface Spec {
  readonly info: { readonly title: string; readonly description?: string | undefined }
  readonly paths: Readonly<Record<string, object>>
  readonly components?: object | undefined
}

interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly parameters?: ReadonlyArray<{ readonly name: string; readonly in: string; readonly required?: boolean }>
  readonly requestBody?: unknown
  readonly responses?: Readonly<Record<string, unknown>>
  readonly security?: ReadonlyArray<unknown>
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const pre = (value: unknown): string => `<pre>${escape(JSON.stringify(value, undefined, 2))}</pre>`

const operation = (method: string, path: string, op: Operation): string => {
  const signed = (op.security?.length ?? 0) > 0 ? " <small>Bearer</small>" : ""
  const parameters = (op.parameters ?? [])
    .map(
      (one) =>
        `<li><code>${escape(one.name)}</code> in ${escape(one.in)}${one.required === true ? ", required" : ""}</li>`
    )
    .join("")
  return [
    `<section><h3><code>${method.toUpperCase()} ${escape(path)}</code>${signed}</h3>`,
    op.description === undefined ? "" : `<p>${escape(op.description)}</p>`,
    parameters === "" ? "" : `<ul>${parameters}</ul>`,
    op.requestBody === undefined ? "" : `<details><summary>Request</summary>${pre(op.requestBody)}</details>`,
    op.responses === undefined
      ? ""
      : `<details><summary>Answers: ${Object.keys(op.responses).join(", ")}</summary>${pre(op.responses)}</details>`,
    "</section>"
  ].join("")
}

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}pre{overflow:auto;font-size:.8rem;padding:.5rem;border:1px solid color-mix(in srgb,currentColor 25%,transparent)}h3{margin:1.5rem 0 .25rem;font-size:1rem}small{opacity:.7}"

export const write = (spec: Spec): string => {
  const sections = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, op]) => operation(method, path, op as Operation))
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(spec.info.title)}</title><style>${style}</style></head><body><h1>${escape(spec.info.title)}</h1><p>${escape(spec.info.description ?? "")} <a href="/openapi.json">openapi.json</a></p>${sections.join("")}<h2>Schemas</h2><details><summary>components</summary>${pre(spec.components ?? {})}</details></body></html>`
}
