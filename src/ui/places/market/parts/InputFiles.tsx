import { Button } from "@mantine/core"
import { useId, useRef } from "react"
import { bounds } from "../../../../services/protocol/MarketWords.ts"
import { useText } from "../../../i18n/index.ts"
import { bytes } from "../../../lib/format.ts"
import { type Inputs, maxFile } from "./useInputs.ts"

/** The files that go with a task, each with how much of it is there. */
export const InputFiles = (props: { readonly files: Inputs; readonly fault: string | undefined }) => {
  const { fault, files } = props
  const { t, language } = useText()
  const picker = useRef<HTMLInputElement>(null)
  const id = useId()
  const faults = fault === undefined ? files.faults : [fault, ...files.faults]
  return (
    <div className="inputs" role="group" aria-labelledby={`${id}-label`} aria-describedby={`${id}-hint`}>
      <span id={`${id}-label`} className="field-label">
        {t("market.form.files")}
      </span>
      <span id={`${id}-hint`} className="small soft">
        {t("market.form.filesHint", { limit: bounds.inputFiles, size: bytes(maxFile, language) })}
      </span>
      {files.inputs.length > 0 && (
        <ul className="file-list">
          {files.inputs.map((input) => (
            <li key={input.key} className="file-row">
              <span className="clip">{input.name}</span>
              <span className="small soft">
                {input.fileId === undefined
                  ? t("market.form.uploading", {
                      percent: input.size === 0 ? 0 : Math.floor((100 * input.sent) / input.size),
                      size: bytes(input.size, language)
                    })
                  : bytes(input.size, language)}
              </span>
              {input.fileId === undefined && <progress max={input.size} value={input.sent} aria-label={input.name} />}
              <button
                type="button"
                className="quiet"
                aria-label={t("market.form.detach", { name: input.name })}
                onClick={() => files.remove(input.key)}
              >
                <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <div>
        <Button variant="default" size="xs" onClick={() => picker.current?.click()} data-field="input_files">
          {t("market.form.attach")}
        </Button>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          onChange={({ currentTarget }) => {
            files.add([...(currentTarget.files ?? [])])
            currentTarget.value = ""
          }}
        />
      </div>
      <div role="alert">
        {faults.map((each) => (
          <p key={each} className="bad small wrap">
            {each}
          </p>
        ))}
      </div>
    </div>
  )
}
