import { Button, Group } from "@mantine/core"
import { useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { useReason } from "../../../shell/failure.ts"
import { type OwnAgent, pathOf } from "../state.ts"

const words = {
  off: { text: "mine.offText", go: "mine.switchOff" },
  revoke: { text: "mine.revokeText", go: "mine.revoke" }
} as const

/** Switching an agent off, or ending its keys: what it means is said before it is done. */
export const ShutAgent = (props: {
  readonly agent: OwnAgent
  readonly how: keyof typeof words
  readonly onDone: () => void
}) => {
  const { http } = useApp()
  const { t } = useText()
  const reason = useReason()
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)
  const { go, text } = words[props.how]

  const shut = async () => {
    setBusy(true)
    setFault(undefined)
    try {
      await (props.how === "off"
        ? http.json("POST", pathOf(props.agent, "/deactivate"), {})
        : http.json("DELETE", pathOf(props.agent, "/keys")))
      return props.onDone()
    } catch (cause) {
      setFault(t("mine.notDone", { reason: reason(cause) }))
    }
    return setBusy(false)
  }

  return (
    <>
      <p>{t(text)}</p>
      <p className="bad form-failed" role="alert">
        {fault}
      </p>
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onDone}>
          {t("app.cancel")}
        </Button>
        <Button className="danger" loading={busy} onClick={shut}>
          {t(go)}
        </Button>
      </Group>
    </>
  )
}
