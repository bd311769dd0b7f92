/** Copies text; `false` = the browser did not allow it. The old way stands behind for pages that are not over https. */
export const copyText = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement("textarea")
    area.value = text
    area.readOnly = true
    area.className = "hidden"
    const focused = document.activeElement
    document.body.append(area)
    area.select()
    const copied = document.execCommand("copy")
    area.remove()
    if (focused instanceof HTMLElement) focused.focus()
    return copied
  }
}
