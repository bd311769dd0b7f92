import { TextInput } from "@mantine/core"
import { useRef } from "react"
import { useText } from "../i18n/index.ts"
import { isLocalPicture } from "../lib/avatar.ts"
import { bytes } from "../lib/format.ts"
import { Avatar } from "../shell/Avatar.tsx"
import { readPicture } from "./picture.ts"

/** An address, or a picture of this device that travels within the profile; beside it how it will look. */
export const AvatarField = (props: {
  readonly id: string
  readonly name: string
  readonly avatar: string
  readonly fault: string | undefined
  readonly onChange: (avatar: string) => void
  readonly onFault: (fault: string) => void
}) => {
  const { t, language } = useText()
  const input = useRef<HTMLInputElement>(null)
  const inline = isLocalPicture(props.avatar)

  const choose = async (file: File | undefined) => {
    if (input.current !== null) input.current.value = ""
    if (file === undefined) return
    const picture = await readPicture(file)
    if (picture === undefined) props.onFault(t("form.avatarUnreadable"))
    else props.onChange(picture)
  }

  return (
    <div className="avatar-field">
      <Avatar id={props.id} name={props.name} avatar={props.avatar} size={56} />
      <div className="avatar-text">
        {inline ? (
          <div role="group" aria-labelledby="avatar-label" data-field="avatar" tabIndex={-1}>
            <span className="mantine-InputWrapper-label" id="avatar-label">
              {t("form.avatar")}
            </span>
            <p className="small soft">{t("form.avatarInline", { size: bytes(props.avatar.length, language) })}</p>
            {props.fault !== undefined && <p className="bad small">{props.fault}</p>}
          </div>
        ) : (
          <TextInput
            label={t("form.avatar")}
            description={props.avatar === "" ? t("form.avatarHint") : t("form.avatarElsewhere")}
            placeholder="https://"
            value={props.avatar}
            onChange={(event) => props.onChange(event.currentTarget.value)}
            error={props.fault}
            data-field="avatar"
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
          />
        )}
        <div className="avatar-buttons">
          <button type="button" className="quiet" onClick={() => input.current?.click()}>
            {t("form.avatarChoose")}
          </button>
          {props.avatar !== "" && (
            <button type="button" className="quiet" onClick={() => props.onChange("")}>
              {t("form.avatarRemove")}
            </button>
          )}
        </div>
        <input
          ref={input}
          type="file"
          accept="image/*"
          hidden
          aria-label={t("form.avatarChoose")}
          onChange={(event) => void choose(event.currentTarget.files?.[0])}
        />
      </div>
    </div>
  )
}
