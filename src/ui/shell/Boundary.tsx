import { Button } from "@mantine/core"
import type { ReactNode } from "react"
import { Component } from "react"
import { useText } from "../i18n/index.ts"

const Crashed = () => {
  const { t } = useText()
  return (
    <main className="crashed" role="alert">
      <h1>{t("app.crashed")}</h1>
      <p>{t("app.crashedHint")}</p>
      <Button onClick={() => window.location.reload()}>{t("app.reload")}</Button>
    </main>
  )
}

/** A fault of the page itself is said in words, never a blank sheet. */
export class Boundary extends Component<{ readonly children: ReactNode }, { readonly crashed: boolean }> {
  override state = { crashed: false }

  static getDerivedStateFromError() {
    return { crashed: true }
  }

  override render() {
    return this.state.crashed ? <Crashed /> : this.props.children
  }
}
