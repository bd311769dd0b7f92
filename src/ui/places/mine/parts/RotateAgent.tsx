import { Button, Group } from "@mantine/core"
import { useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { useReason } from "../../../shell/failure.ts"
import { type OwnAgent, pathOf, readSecret } from "../state.ts"
import { Shown } from "./Shown.tsx"

/** Seconds. */
const graces = [0, 3600, 86_400, 604_800] as const

/** A new secret, shown this once; the old one ends when the person says. */
export const RotateAgent = (props: { readonly agent: OwnAgent; readonly onDone: () => void }) => {
  const { http } = useApp()
  const { t } = useText()
  const reason = useReason()
  const [grace, setGrace] = useState<(typeof graces)[number]>(3600)
  const [secret, setSecret] = useState<string>()
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)
  const { revoked } = props.agent

  const rotate = async () => {
    setBusy(true)
    setFault(undefined)
    try {
      const data = await http.json("POST", pathOf(props.agent, "/keys"), { grace_seconds: revoked ? 0 : grace })
      setSecret(readSecret(data, "app_secret"))
    } catch (cause) {
      setFault(t("mine.notDone", { reason: reason(cause) }))
    }
    setBusy(false)
  }

  if (secret !== undefined) {
    return (
      <Shown once={t("mine.secretOnce")} label={t("mine.secret")} value={secret} copy={t("mine.secretCopy")}>
        <Button onClick={props.onDone}>{t("mine.done")}</Button>
      </Shown>
    )
  }
  return (
    <>
      {revoked ? (
        <p>{t("mine.rotateRevived")}</p>
      ) : (
        <>
          <p>{t("mine.rotateLead")}</p>
          <fieldset className="mine-choices">
            <legend>{t("mine.grace")}</legend>
            {graces.map((each) => (
              <label key={each}>
                <input type="radio" name="grace" checked={grace === each} onChange={() => setGrace(each)} />
                {t(`mine.grace.${each}`)}
              </label>
            ))}
          </fieldset>
        </>
      )}
      <p className="bad form-failed" role="alert">
        {fault}
      </p>
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onDone}>
          {t("app.cancel")}
        </Button>
        <Button loading={busy} onClick={rotate}>
          {t("mine.rotateGo")}
        </Button>
      </Group>
    </>
  )
}
