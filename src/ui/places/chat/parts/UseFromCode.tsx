import { Button } from "@mantine/core"
import { useState } from "react"
import { useText } from "../../../i18n/index.ts"
import { CopyButton } from "../../../shell/CopyButton.tsx"
import { KeyDialog } from "./KeyDialog.tsx"

const codeFor = (baseUrl: string, clawId: string): string =>
  `import OpenAI from "openai"

const client = new OpenAI({
  baseURL: ${JSON.stringify(baseUrl)},
  apiKey: process.env.CLAWFIBER_KEY
})
const reply = await client.responses.create({
  model: ${JSON.stringify(clawId)},
  input: "help"
})
console.log(reply.output_text)`

export const UseFromCode = ({ clawId }: { readonly clawId: string }) => {
  const { t } = useText()
  const [keys, setKeys] = useState(false)
  const baseUrl = `${window.location.origin}/v1`
  const code = codeFor(baseUrl, clawId)
  return (
    <section aria-labelledby="code-title">
      <h2 className="caption" id="code-title">
        {t("side.code")}
      </h2>
      <p className="small soft">{t("side.codeLead")}</p>
      <dl className="figures-list figures-code">
        <div className="figure">
          <dt>{t("side.baseUrl")}</dt>
          <dd>
            <code className="clip">{baseUrl}</code>
            <CopyButton text={baseUrl} label={t("side.copy")} name={t("side.copyUrl")} />
          </dd>
        </div>
        <div className="figure">
          <dt>{t("side.model")}</dt>
          <dd>
            <code className="clip">{clawId}</code>
            <CopyButton text={clawId} label={t("side.copy")} name={t("side.copyModel")} />
          </dd>
        </div>
      </dl>
      <div className="code" role="group" aria-label={t("side.code")}>
        <pre tabIndex={0}>{code}</pre>
      </div>
      <div className="side-buttons">
        <CopyButton text={code} label={t("reply.copyCode")} />
        <Button variant="default" size="xs" onClick={() => setKeys(true)}>
          {t("side.keys")}
        </Button>
      </div>
      <KeyDialog opened={keys} onClose={() => setKeys(false)} />
    </section>
  )
}
