import { createTheme } from "@mantine/core"

/** System fonts; the CJK families stand before the generic one so that Chinese text never falls to a bitmap font. */
const sans =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", ' +
  '"Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", sans-serif'

const mono =
  'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace'

export const theme = createTheme({
  fontFamily: sans,
  fontFamilyMonospace: mono,
  headings: { fontFamily: sans, fontWeight: "600" },
  primaryColor: "teal",
  primaryShade: { light: 7, dark: 5 },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  colors: {
    teal: ["#e7f2f1", "#cfe5e3", "#a3cfcc", "#75b8b4", "#4fa5a0", "#3a9a95", "#1d7f7b", "#0b6e6e", "#085a5a", "#054646"]
  },
  components: {
    Button: { defaultProps: { variant: "filled" }, styles: { label: { fontWeight: 500 } } },
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Modal: { defaultProps: { centered: true, transitionProps: { duration: 100 }, overlayProps: { opacity: 0.45 } } },
    Drawer: { defaultProps: { transitionProps: { duration: 120 }, overlayProps: { opacity: 0.45 } } }
  }
})
