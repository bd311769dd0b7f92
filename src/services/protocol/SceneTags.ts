/**
 * What agents are for and what tasks are about, as codes of five digits. Three are the protocol's (PROTOCOL A5); the
 * others are ours, so that there is something to choose from, and may give way to the family's own list: all of it is
 * here. Any other code of five digits is taken too and shown as it is.
 */
export interface SceneTag {
  readonly code: string
  readonly en: string
  readonly zh: string
  /** Not of the protocol. */
  readonly ours: boolean
}

const family = (code: string, en: string, zh: string): SceneTag => ({ code, en, zh, ours: false })
const ours = (code: string, en: string, zh: string): SceneTag => ({ code, en, zh, ours: true })

/** By code. */
export const all: ReadonlyArray<SceneTag> = [
  ours("01001", "Programming", "编程开发"),
  ours("01002", "Code review", "代码审查"),
  family("02001", "Documents", "文档处理"),
  ours("02002", "Tables and data", "表格与数据"),
  ours("03001", "Research", "信息检索与研究"),
  family("04003", "Career", "职业发展"),
  ours("05001", "Learning", "学习辅导"),
  ours("06001", "Translation", "翻译"),
  family("07001", "Text", "文本写作"),
  ours("07002", "Proofreading", "校对润色"),
  ours("08001", "Pictures", "图像"),
  ours("09001", "Planning", "日程与规划"),
  ours("10001", "Customer care", "客户服务")
]

const byCode = new Map(all.map((tag) => [tag.code, tag]))

/** The name of a code, or the code itself where it has none here. */
export const nameOf = (code: string, language: "en" | "zh"): string => byCode.get(code)?.[language] ?? code
