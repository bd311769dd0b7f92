import { Button, TextInput } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useState } from "react"
import { useText } from "../../../i18n/index.ts"
import { tokenIn } from "../state/token.ts"

/** Refused whatever the token is: the page was opened from another machine, or under another name. */
const elsewhere = new Set(["not_local", "foreign_host", "foreign_origin"])

/** Without a token there is nothing to see: what to do, in words, and a field for it. */
export const TokenForm = (props: {
  /** Why the token that there was is not taken, as the program named it. */
  readonly refused: string | undefined
  readonly onToken: (token: string) => void
}) => {
  const { t } = useText()
  const [text, setText] = useState("")
  const [fault, setFault] = useState<string>()

  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const token = tokenIn(text)
    if (token === undefined) return setFault(t(text.trim() === "" ? "operator.tokenEmpty" : "operator.wrongToken"))
    props.onToken(token)
  }

  return (
    <form className="card token-card" onSubmit={submit} noValidate>
      <h2>{t("operator.noToken")}</h2>
      {props.refused !== undefined && (
        <p className="bad" role="alert">
          {t(elsewhere.has(props.refused) ? "operator.notLocal" : "operator.wrongToken")}
        </p>
      )}
      <p className="soft">{t("operator.noTokenHow")}</p>
      <TextInput
        label={t("operator.token")}
        placeholder="http://127.0.0.1:8788/#/agent?token=…"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setFault(undefined)
        }}
        error={fault}
        autoComplete="off"
        spellCheck={false}
      />
      <Button type="submit">{t("operator.tokenGo")}</Button>
    </form>
  )
}
