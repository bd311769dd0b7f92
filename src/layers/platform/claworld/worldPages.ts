/** Answers of Claworld's doors that are put together of what the stores give. */
import type { Paged } from "../../../services/platform/Worlds.ts"
import type { CandidateDelivery, CandidateFeed, NewFeedback } from "../../../services/protocol/ClaworldModels.ts"
import type { FieldError } from "../../../services/protocol/EntryProfile.ts"
import {
  bounds,
  type FeedbackCategory,
  feedbackCategories,
  type FeedbackImpact,
  feedbackImpacts
} from "../../../services/protocol/Worlds.ts"
import { toText } from "../sqlStore.ts"

export const paginationOf = ({ page, pageSize, totalCount }: Paged<unknown>) => ({
  page,
  pageSize,
  totalPages: Math.ceil(totalCount / pageSize),
  totalCount
})

export const deliveryOf = (feed: typeof CandidateFeed.Type): typeof CandidateDelivery.Type => ({
  worldId: feed.worldId,
  status: feed.status,
  candidateSummaries: feed.candidates.map(({ displayName, online, reasonSummary, score, targetAgentId }) => ({
    targetAgentId,
    displayName,
    online,
    score,
    reasonSummary
  }))
})

const isCategory = (text: string): text is FeedbackCategory => feedbackCategories.some((known) => known === text)
const isImpact = (text: string): text is FeedbackImpact => feedbackImpacts.some((known) => known === text)
const length = (text: string): number => [...text].length
const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== ""

const texts = ["goal", "actualBehavior", "expectedBehavior", "details"] as const

/** What of a feedback is taken: all that cannot be is named. */
export const readFeedback = (given: typeof NewFeedback.Type) => {
  const errors: Array<FieldError> = []
  const title = toText(given.title).trim()
  const category = given.category
  const impact = given.impact ?? "medium"
  if (!isCategory(category)) {
    const message = `category is one of ${feedbackCategories.join(", ")}.`
    errors.push({ fieldId: "category", code: "unknown_choice", message })
  }
  if (!isImpact(impact)) {
    errors.push({
      fieldId: "impact",
      code: "unknown_choice",
      message: `impact is one of ${feedbackImpacts.join(", ")}.`
    })
  }
  if (title === "" || length(title) > bounds.feedbackTitle) {
    const message = `title has 1 to ${bounds.feedbackTitle} characters.`
    errors.push({ fieldId: "title", code: "wrong_length", message })
  }
  for (const name of texts) {
    if (length(given[name] ?? "") > bounds.feedbackText) {
      errors.push({
        fieldId: name,
        code: "too_long",
        message: `${name} has at most ${bounds.feedbackText} characters.`
      })
    }
  }
  const steps = given.reproductionSteps ?? []
  if (steps.length > 50 || steps.some((step) => length(step) > bounds.answer)) {
    const message = `reproductionSteps are at most 50, of at most ${bounds.answer} characters.`
    errors.push({ fieldId: "reproductionSteps", code: "too_many", message })
  }
  const context = given.context ?? {}
  if (JSON.stringify(context).length > bounds.feedbackText) {
    const message = `context has at most ${bounds.feedbackText} characters as JSON.`
    errors.push({ fieldId: "context", code: "too_long", message })
  }
  if (errors.length > 0 || !isCategory(category) || !isImpact(impact)) return { errors, feedback: undefined }
  const { agentId: _, category: __, impact: ___, title: ____, ...details } = given
  const tags = Array.isArray(context["tags"]) ? context["tags"].filter(isText).slice(0, bounds.tags).map(toText) : []
  return {
    errors,
    feedback: {
      category,
      impact,
      title,
      // What cannot be kept by every database is no reason to lose the rest.
      details: JSON.parse(toText(JSON.stringify(details)).replaceAll("\\u0000", "\uFFFD")) as Record<string, unknown>,
      worldId: isText(context["worldId"]) ? toText(context["worldId"]) : undefined,
      sessionId: isText(context["sessionId"]) ? toText(context["sessionId"]) : undefined,
      tags
    }
  }
}
