import { Button, Textarea } from "@mantine/core"
import type { ClipboardEvent, KeyboardEvent } from "react"
import { useRef } from "react"
import { useApp } from "../../../app.ts"
import { useText } from "../../../i18n/index.ts"
import { bytes, whole } from "../../../lib/format.ts"
import type { Attachment } from "../state/drafts.ts"
import { MAX_FILE_BYTES, MAX_TEXT } from "../state/drafts.ts"
import type { Agent, Part } from "../state/model.ts"
import type { DraftHandle } from "./useDraft.ts"

const AttachmentChip = (props: { readonly attachment: Attachment; readonly onRemove: () => void }) => {
  const { attachment } = props
  const { t, language } = useText()
  return (
    <li className="attachment">
      {attachment.preview !== undefined && <img src={attachment.preview} alt="" />}
      <span className="row-text">
        <span className="clip">{attachment.name}</span>
        <span className="small soft">
          {attachment.fileId === undefined ? t("composer.uploading") : bytes(attachment.size, language)}
        </span>
      </span>
      <button
        type="button"
        className="quiet remove"
        aria-label={t("composer.remove", { name: attachment.name })}
        onClick={props.onRemove}
      >
        <span aria-hidden="true">×</span>
      </button>
    </li>
  )
}

const partsOf = (text: string, attachments: ReadonlyArray<Attachment>): ReadonlyArray<Part> => [
  ...(text.trim() === "" ? [] : [{ type: "text" as const, text }]),
  ...attachments.flatMap((attachment): ReadonlyArray<Part> =>
    attachment.fileId === undefined
      ? []
      : [{ type: attachment.kind, fileId: attachment.fileId, filename: attachment.name }]
  )
]

export const Composer = (props: {
  readonly agent: Agent
  readonly handle: DraftHandle
  readonly active: boolean
  readonly busy: boolean
  readonly onSend: (parts: ReadonlyArray<Part>) => void
  readonly onStop: () => void
}) => {
  const { agent, handle, active } = props
  const { link } = useApp()
  const { t, language } = useText()
  const input = useRef<HTMLInputElement>(null)
  const { text, attachments } = handle.draft
  const uploading = attachments.some((attachment) => attachment.fileId === undefined)
  const nothing = text.trim() === "" && attachments.length === 0

  const send = () => {
    if (nothing || props.busy) return
    if (uploading) return handle.say(t("composer.waitUpload"))
    if (text.length > MAX_TEXT) {
      return handle.say(
        t("composer.tooLong", { formatted: whole(text.length, language), limit: whole(MAX_TEXT, language) })
      )
    }
    props.onSend(partsOf(text, attachments))
  }

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // While an input method composes, Enter chooses a word. 229 = the same in browsers that say so only there.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing || event.keyCode === 229) return
    event.preventDefault()
    send()
  }

  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files]
    if (files.length === 0) return
    event.preventDefault()
    handle.attach(files)
  }

  const plain = link.phase !== "waiting" && agent.online
  const state =
    link.phase === "waiting"
      ? t("composer.offline")
      : plain
        ? [t("composer.hint"), ...(active ? [t("composer.hintStop")] : [])].join(" ")
        : t("composer.away", { name: agent.name })

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {handle.faults.length > 0 && (
        <div role="alert" className="composer-faults">
          {handle.faults.map((fault) => (
            <p key={fault} className="bad">
              {fault}
            </p>
          ))}
        </div>
      )}
      <div className="composer-box">
        {attachments.length > 0 && (
          <ul className="attachments" aria-label={t("composer.attachments")}>
            {attachments.map((attachment) => (
              <AttachmentChip
                key={attachment.key}
                attachment={attachment}
                onRemove={() => handle.detach(attachment.key)}
              />
            ))}
          </ul>
        )}
        <div className="composer-line">
          <Textarea
            className="composer-text"
            variant="unstyled"
            autosize
            minRows={1}
            maxRows={9}
            data-composer
            aria-label={t("composer.label", { name: agent.name })}
            aria-describedby="composer-state"
            placeholder={t("composer.placeholder", { name: agent.name })}
            value={text}
            onChange={(event) => handle.setText(event.currentTarget.value)}
            onKeyDown={onKeyDown}
            onPaste={onPaste}
          />
          <div className="composer-buttons">
            <input
              ref={input}
              type="file"
              multiple
              hidden
              onChange={(event) => {
                handle.attach([...(event.currentTarget.files ?? [])])
                event.currentTarget.value = ""
              }}
            />
            <Button
              variant="default"
              aria-label={t("composer.attachLabel")}
              title={t("composer.limit", { limit: bytes(MAX_FILE_BYTES, language) })}
              onClick={() => input.current?.click()}
            >
              {t("composer.attach")}
            </Button>
            {active && (
              <Button variant="default" className="stop" onClick={props.onStop}>
                {t("composer.stop")}
              </Button>
            )}
            {(!active || !nothing) && (
              <Button type="submit" disabled={nothing} loading={props.busy}>
                {t("composer.send")}
              </Button>
            )}
          </div>
        </div>
      </div>
      <p className="composer-state small soft" id="composer-state" data-hint={plain ? "" : undefined}>
        {state}
      </p>
    </form>
  )
}
