import type { ComponentProps, ReactNode } from "react"
import { memo, useRef } from "react"
import type { Components } from "react-markdown"
import ReactMarkdown from "react-markdown"
import rehypeSanitize, { defaultSchema } from "rehype-sanitize"
import remarkGfm from "remark-gfm"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { CopyButton } from "../../../shell/CopyButton.tsx"
import { blocksOf } from "../state/blocks.ts"
import { artifactIn, downloadArtifact } from "./files.ts"
import { FileChip } from "./FileChip.tsx"

/** An agent's words are a stranger's words: no HTML of theirs, no addresses but these, nothing fetched on its own. */
const schema = {
  ...defaultSchema,
  protocols: { ...defaultSchema.protocols, href: ["http", "https", "mailto"], src: ["http", "https"] }
}

const Outside = (props: { readonly href: string | undefined; readonly children: ReactNode }) => {
  const { t } = useText()
  if (props.href === undefined || props.href === "") return <span>{props.children}</span>
  return (
    <a
      href={props.href}
      target={props.href.startsWith("#") ? undefined : "_blank"}
      rel="noopener noreferrer nofollow"
      title={props.href}
    >
      {props.children}
      <span className="hidden"> ({t("reply.newTab")})</span>
    </a>
  )
}

/** A file that the agent put on this platform: it needs the person's token, so a plain link would not open it. */
const Artifact = (props: { readonly path: string; readonly name: string }) => {
  const { http } = useApp()
  const { name, path } = props
  return <FileChip name={name} onOpen={() => downloadArtifact(http, path, name)} />
}

const Picture = (props: { readonly src: string | undefined; readonly alt: string | undefined }) => {
  const { t } = useText()
  const text = props.alt === undefined || props.alt === "" ? t("reply.imageNoText") : props.alt
  return <Outside href={props.src}>{t("reply.image", { text })}</Outside>
}

const CodeBlock = ({ node, children }: ComponentProps<"pre"> & { readonly node?: unknown }) => {
  const { t } = useText()
  const pre = useRef<HTMLPreElement>(null)
  const language = languageOf(node)
  const label = language === undefined ? t("reply.code") : t("reply.codeIn", { language })
  return (
    <div className="code" role="group" aria-label={label}>
      <div className="code-head">
        <span>{language ?? ""}</span>
        <CopyButton text={() => pre.current?.textContent ?? ""} label={t("reply.copyCode")} />
      </div>
      {/* It scrolls sideways, so the keyboard must reach it. */}
      <pre ref={pre} tabIndex={0}>
        {children}
      </pre>
    </div>
  )
}

const languageOf = (node: unknown): string | undefined => {
  const first = (
    node as { readonly children?: ReadonlyArray<{ readonly properties?: { readonly className?: unknown } }> }
  )?.children?.[0]
  const names = first?.properties?.className
  const name = Array.isArray(names)
    ? names.find((each) => typeof each === "string" && each.startsWith("language-"))
    : ""
  return typeof name === "string" && name.length > 9 ? name.slice(9) : undefined
}

const TableFrame = ({ children }: { readonly children?: ReactNode }) => {
  const { t } = useText()
  return (
    <div className="table" role="group" aria-label={t("reply.table")} tabIndex={0}>
      <table>{children}</table>
    </div>
  )
}

const components: Components = {
  a: ({ href, children }) => {
    const path = artifactIn(href)
    return path === undefined ? (
      <Outside href={href}>{children}</Outside>
    ) : (
      <Artifact path={path} name={typeof children === "string" ? children : path} />
    )
  },
  img: ({ src, alt }) => <Picture src={typeof src === "string" ? src : undefined} alt={alt} />,
  pre: CodeBlock,
  table: ({ children }) => <TableFrame>{children}</TableFrame>,
  // The page has headings of its own above these.
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h4>{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
  input: ({ checked }) => <span aria-hidden="true">{checked === true ? "☑ " : "☐ "}</span>
}

const remark = [remarkGfm]
const rehype: NonNullable<ComponentProps<typeof ReactMarkdown>["rehypePlugins"]> = [[rehypeSanitize, schema]]

const Block = memo(({ text }: { readonly text: string }) => (
  <ReactMarkdown remarkPlugins={remark} rehypePlugins={rehype} components={components}>
    {text}
  </ReactMarkdown>
))
Block.displayName = "Block"

/** Blocks that have not changed are not read again. */
export const Markdown = ({ text }: { readonly text: string }) => (
  <div className="prose">
    {keyed(blocksOf(text)).map(([key, block]) => (
      <Block key={key} text={block} />
    ))}
  </div>
)

/** Blocks only ever come behind the others: their place is their name. */
const keyed = (blocks: ReadonlyArray<string>) => blocks.map((block, place) => [place, block] as const)
