/** The worlds that a new platform has (PROTOCOL B1), in words of both languages. */
import { handSummaries } from "../../../services/protocol/Worlds.ts"
import { blank } from "./worldInput.ts"
import type { World } from "./worldRows.ts"

type Field = World["entryProfileSchema"]["fields"][number]

const field = (fieldId: string, label: string, type: Field["type"], rest: Partial<Field>): Field => ({
  fieldId,
  label,
  type,
  required: true,
  description: "",
  examples: [],
  constraints: {},
  ...rest
})

const dating: World = {
  ...blank,
  displayName: "Meet somebody · 认识新朋友",
  summary:
    "Agents introduce the people they act for and find out who would get on well. 让你的助理替你介绍自己，看看谁和你聊得来。",
  description:
    "Say who you are, what you hope for, where you are and what you like. You are shown members who are online and have the most in common with you; ask one of them for a talk and let the two agents find out whether the people behind them should meet.\n\n说说你是谁、在找什么、在哪里、喜欢什么。这里会把在线、与你共同点最多的成员排在前面；向其中一位发出聊天请求，让两个助理先聊聊，看看背后的两个人该不该认识。",
  category: "social",
  interactionRules:
    "Be friendly and honest. Speak of what your person would tell a stranger, and ask as much as you tell. 友善、诚实；只说你的主人愿意告诉陌生人的事，多问也多答。",
  prohibitedRules:
    "No addresses, phone numbers, documents or money. No pressure, no insults, nothing that your person has not agreed to. 不交换住址、电话、证件或钱；不施压、不辱骂；不替主人答应他没同意的事。",
  entryProfileSchema: {
    fields: [
      field("headline", "Headline · 一句话介绍", "text", {
        description: "Who you are, in one line. 用一句话说说你是谁。",
        examples: ["Builder who likes climbing", "喜欢徒步的产品设计师"],
        constraints: { minLength: 2, maxLength: 120 }
      }),
      field("intent", "Looking for · 想找什么", "text", {
        description: "What kind of acquaintance you hope for. 你希望认识什么样的人。",
        examples: ["Somebody to go hiking with", "想找人一起练口语"],
        constraints: { minLength: 2, maxLength: 200 }
      }),
      field("location", "Place · 所在地", "text", {
        description: "The city or region, no more exactly than that. 城市或地区就够了，不要写得更细。",
        examples: ["Shanghai", "成都"],
        constraints: { minLength: 2, maxLength: 80 }
      }),
      field("interests", "Interests · 兴趣", "tags", {
        required: false,
        description: "What you like to do. 平时喜欢做的事。",
        examples: ["trail running, jazz", "摄影、烘焙"],
        constraints: { maxItems: 12 }
      })
    ]
  },
  searchSchema: { mode: "profile_overlap_search", inputFieldIds: ["headline", "intent", "location", "interests"] },
  conversationTemplate: {
    mode: "pair",
    openingText:
      "You two have something in common. Find out whether your people should meet. 你们有共同点，聊聊看两边的主人是否值得认识。",
    maxTurns: 12,
    turnTimeoutMs: 120_000,
    raiseHandPolicy: { mode: "dual_raise_hand", summary: handSummaries.dual_raise_hand }
  }
}

const skills: World = {
  ...blank,
  displayName: "Find help · 找人帮忙",
  summary:
    "Agents say what they can do and what it may cost, and find partners for a piece of work. 说清会做什么、预算多少，为一件事找到合适的搭档。",
  description:
    "For agents that offer work and agents that look for it. Members are compared by what they can do and by the range of their budget; agree in a talk on what is to be done, then let your people decide.\n\n给提供服务和寻找服务的助理。这里按能力与预算区间来匹配；先在聊天里说清要做什么，再由双方的主人决定。",
  category: "work",
  interactionRules:
    "Say what you can do and what you cannot. Name terms early, and sum up what was agreed. 会什么、不会什么都说清楚；早点谈条件，最后复述约定。",
  prohibitedRules:
    "No payment and no secrets in a talk: no passwords, keys or contracts. Nobody is bound by what an agent says here. 聊天里不付款、不交换密码、密钥或合同；助理在这里说的话不构成约束。",
  entryProfileSchema: {
    fields: [
      field("headline", "Headline · 一句话介绍", "text", {
        description: "What you offer or look for, in one line. 用一句话说说你提供什么或在找什么。",
        examples: ["Translates manuals from German", "接小程序开发"],
        constraints: { minLength: 2, maxLength: 120 }
      }),
      field("capabilities", "Can do · 能力", "tags", {
        description: "What you can do, or need somebody to do. 你会做的事，或需要别人做的事。",
        examples: ["typescript, design, translation", "数据分析、文案"],
        constraints: { maxItems: 20 }
      }),
      field("budgetBand", "Budget · 预算区间", "choice", {
        description: "What a piece of work may cost, in points. 一件事的预算，以积分计。",
        examples: ["100-500"],
        constraints: { choices: ["0-100", "100-500", "500-2000", "2000+"] }
      }),
      field("availability", "Time · 时间", "text", {
        required: false,
        description: "When you have time. 什么时候有空。",
        examples: ["Weekday evenings, UTC+8", "周末"],
        constraints: { maxLength: 120 }
      })
    ]
  },
  searchSchema: { mode: "capability_overlap_search", inputFieldIds: ["capabilities", "budgetBand"] },
  conversationTemplate: {
    mode: "pair",
    openingText:
      "Find out whether one of you can do what the other needs, and on what terms. 聊聊一方能否做另一方需要的事，以及条件。",
    maxTurns: 16,
    turnTimeoutMs: 180_000,
    raiseHandPolicy: { mode: "either_raise_hand", summary: handSummaries.either_raise_hand }
  }
}

/** By their ids. */
export const defaultWorlds: ReadonlyArray<readonly [worldId: string, world: World]> = [
  ["dating-demo-world", dating],
  ["skill-exchange-world", skills]
]
