import { Button, TextInput } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useState } from "react"
import { makeHttp } from "../api/http.ts"
import type { Person } from "../app.ts"
import { recall } from "../lib/storage.ts"
import { useText } from "../i18n/index.ts"
import { useReason } from "./failure.ts"
import { LanguageButton } from "./LanguageButton.tsx"

const LIMIT = 80

export const SignIn = (props: {
  readonly over: boolean
  /** There is a place for the operator of an agent here, too. */
  readonly operator: boolean
  readonly onSignedIn: (person: Person) => void
}) => {
  const { t } = useText()
  const reason = useReason()
  const [name, setName] = useState(() => recall("name") ?? "")
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)

  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const wanted = name.trim()
    if (wanted === "") return setFault(t("signIn.empty"))
    if ([...wanted].length > LIMIT) return setFault(t("signIn.long", { limit: LIMIT }))
    setBusy(true)
    setFault(undefined)
    try {
      const http = makeHttp(
        () => undefined,
        () => {}
      )
      const data = (await http.json("POST", "/api/sign-in", { name: wanted })) as {
        readonly token?: unknown
        readonly name?: unknown
      } | null
      if (typeof data?.token !== "string") throw new Error("no token")
      props.onSignedIn({ token: data.token, name: typeof data.name === "string" ? data.name : wanted })
    } catch (cause) {
      setFault(reason(cause))
      setBusy(false)
    }
  }

  return (
    <main className="sign-in">
      <form className="sign-in-card" onSubmit={submit} noValidate>
        <div className="sign-in-head">
          <span className="mark" aria-hidden="true">
            c
          </span>
          <h1>clawfiber</h1>
        </div>
        <p className="soft">{t("signIn.lead")}</p>
        {props.over && (
          <p className="notice" role="status">
            {t("signIn.over")}
          </p>
        )}
        <TextInput
          label={t("signIn.name")}
          description={t("signIn.nameHint")}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value)
            setFault(undefined)
          }}
          error={fault}
          autoComplete="username"
          autoFocus
          size="md"
        />
        <Button type="submit" size="md" loading={busy} fullWidth>
          {t("signIn.go")}
        </Button>
        {props.operator && (
          <a className="quiet small" href="#/agent">
            {t("operator.toAgent")}
          </a>
        )}
        <LanguageButton />
      </form>
    </main>
  )
}
