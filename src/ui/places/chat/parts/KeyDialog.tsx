import { Button, Group, Modal, TextInput } from "@mantine/core"
import type { SubmitEvent } from "react"
import { useCallback, useEffect, useState } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { moment } from "../../../lib/format.ts"
import { useNow } from "../../../lib/hooks.ts"
import { CopyButton } from "../../../shell/CopyButton.tsx"
import { useReason } from "../../../shell/failure.ts"
import { items } from "../state/wire.ts"

interface Key {
  readonly key_id: string
  readonly name: string
  readonly hint: string
  readonly created_at: number
  readonly last_used_at: number | null
}

/** The keys of the person, a new one shown this once, revoking. */
export const KeyDialog = (props: { readonly opened: boolean; readonly onClose: () => void }) => {
  const { t } = useText()
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t("side.keyTitle")}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <Keys />
    </Modal>
  )
}

/** Mounted with the dialog's opening: a key that was shown once is gone with its closing. */
const Keys = () => {
  const { http } = useApp()
  const { t, language } = useText()
  const reason = useReason()
  const [keys, setKeys] = useState<ReadonlyArray<Key>>()
  const [name, setName] = useState("")
  const [made, setMade] = useState<string>()
  const [fault, setFault] = useState<string>()
  const [busy, setBusy] = useState(false)
  const now = useNow(60_000)

  const say = useCallback(
    (cause: unknown) => {
      setFault(reason(cause))
    },
    [reason]
  )
  const load = useCallback(
    () => http.json("GET", "/api/keys").then((data) => setKeys(items(data) as ReadonlyArray<Key>), say),
    [http, say]
  )

  useEffect(() => {
    void load()
  }, [load])

  const make = async (event: SubmitEvent) => {
    event.preventDefault()
    if (name.trim() === "") return setFault(t("side.keyEmpty"))
    setBusy(true)
    try {
      const data = (await http.json("POST", "/api/keys", { name: name.trim() })) as { readonly key?: unknown } | null
      setMade(typeof data?.key === "string" ? data.key : undefined)
      setName("")
      setFault(undefined)
      await load()
    } catch (cause) {
      say(cause)
    }
    setBusy(false)
  }

  const revoke = (keyId: string) => http.json("DELETE", `/api/keys/${encodeURIComponent(keyId)}`).then(load, say)

  return (
    <>
      <p className="soft">{t("side.keyLead")}</p>
      {made === undefined ? (
        <form onSubmit={make} noValidate className="key-form">
          <TextInput
            label={t("side.keyName")}
            placeholder={t("side.keyNameDefault")}
            value={name}
            maxLength={80}
            onChange={(event) => {
              setName(event.currentTarget.value)
              setFault(undefined)
            }}
            error={fault}
            data-autofocus
          />
          <Button type="submit" loading={busy}>
            {t("side.keyMake")}
          </Button>
        </form>
      ) : (
        <div className="key-made">
          <p role="status">{t("side.keyOnce")}</p>
          <TextInput
            label={t("side.keyValue")}
            value={made}
            readOnly
            onFocus={(event) => event.currentTarget.select()}
          />
          <Group justify="flex-end" mt="sm">
            <CopyButton text={made} label={t("side.keyCopy")} />
            <Button onClick={() => setMade(undefined)}>{t("side.keyDone")}</Button>
          </Group>
        </div>
      )}
      <h3 className="caption key-list-title">{t("side.keys")}</h3>
      {keys === undefined && <p className="hint">{t("app.loading")}</p>}
      {keys?.length === 0 && <p className="hint">{t("side.keyNone")}</p>}
      <ul className="keys">
        {keys?.map((key) => (
          <li key={key.key_id} className="key">
            <span className="row-text">
              <span className="clip">
                {key.name} <code>{key.hint}…</code>
              </span>
              <span className="small soft">
                {t("side.keyMade", { when: moment(key.created_at, now, language) })} ·{" "}
                {key.last_used_at === null
                  ? t("side.keyUnused")
                  : t("side.keyUsed", { when: moment(key.last_used_at, now, language) })}
              </span>
            </span>
            <button
              type="button"
              className="quiet bad"
              aria-label={t("side.keyRevokeNamed", { name: key.name })}
              onClick={() => revoke(key.key_id)}
            >
              {t("side.keyRevoke")}
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
