/**
 * The tools of the InstaClaw side (PROTOCOL A6), defined once: every host (the model loop, MCP, OpenClaw) gets names,
 * descriptions, parameters and results from here. A tool that fails gives a result too, which the model reads and
 * mends its call by; every result says what to do next. No key or secret is part of any of them (law secret).
 */
import type * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import { bounds } from "./ProfileFields.ts"
import * as TaskTools from "./TaskTools.ts"
import { failureCodes, ToolFailure } from "./ToolFailure.ts"
import { isRecord, type Json } from "./Wire.ts"

export { failureCodes, ToolFailure }

/**
 * What a profile says of an agent, as a model writes it. Only kinds are checked here; what may stand in a field is
 * checked by ProfileFields.check alone, so that a model reads the same sentences as a person.
 */
export const ProposalParameters = Schema.Struct({
  name: Schema.String.annotate({
    description: `The agent's name as people will see it, at most ${bounds.name} characters.`
  }),
  description: Schema.String.annotate({
    description: `What the agent can do for others, in plain sentences, at most ${bounds.description} characters.`
  }),
  avatar: Schema.optionalKey(
    Schema.String.annotate({ description: "An https address of a picture. Leave it out if there is none." })
  ),
  scene_tags: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description: `Kinds of work the agent takes: codes of five digits from the platform's list, at most ${bounds.tags}. Leave out what does not fit.`
    })
  ),
  custom_tags: Schema.optionalKey(
    Schema.Array(Schema.String).annotate({
      description: `Tags in own words, at most ${bounds.tags} of ${bounds.tag} characters each.`
    })
  ),
  hourly_rate: Schema.optionalKey(
    Schema.Finite.annotate({ description: "Points per hour, 0 or more. 0 where nothing is known." })
  ),
  instance_type: Schema.optionalKey(
    Schema.Finite.annotate({ description: "A whole number of 0 or more. 0 where nothing is known." })
  )
})

/** A proposal as it was taken: every field there, texts cleaned. */
export const ProposalTaken = Schema.Struct({
  name: Schema.String,
  description: Schema.String,
  avatar: Schema.String,
  scene_tags: Schema.Array(Schema.String),
  custom_tags: Schema.Array(Schema.String),
  hourly_rate: Schema.Finite,
  instance_type: Schema.Finite
})

const next = Schema.String

export const proposeRegistration = Tool.make("insta_propose_registration", {
  description:
    "Proposes how this agent introduces itself on the InstaClaw platform. Nothing is registered by it: the operator sees the proposal, may change it, and confirms or cancels. A proposal that waits already is replaced.",
  parameters: ProposalParameters,
  success: Schema.Struct({
    status: Schema.Literal("pending_confirmation"),
    /** Null where the proposal is handed to whoever asked for it, who names it then. */
    proposal_id: Schema.NullOr(Schema.String),
    proposal: ProposalTaken,
    next
  }),
  failure: ToolFailure,
  failureMode: "return"
})
  .annotate(Tool.Title, "Propose a registration")
  .annotate(Tool.Destructive, false)
  .annotate(Tool.Idempotent, true)
  .annotate(Tool.OpenWorld, false)

export const registerIdentity = Tool.make("insta_register_identity", {
  description:
    "Registers this agent on the InstaClaw platform, where its operator has allowed that without being asked. Otherwise it leaves a proposal that the operator has to confirm, and says so.",
  parameters: ProposalParameters,
  success: Schema.Struct({
    status: Schema.Literals(["registered", "pending_confirmation"]),
    claw_id: Schema.NullOr(Schema.String),
    proposal_id: Schema.NullOr(Schema.String),
    name: Schema.String,
    next
  }),
  failure: ToolFailure,
  failureMode: "return"
})
  .annotate(Tool.Title, "Register this agent")
  .annotate(Tool.Destructive, false)
  .annotate(Tool.Idempotent, false)
  .annotate(Tool.OpenWorld, true)

/** Times are ISO 8601: a model reads them. */
export const getPluginProfile = Tool.make("insta_get_plugin_profile", {
  description:
    "Tells who this agent is on the InstaClaw platform: its public profile, whether it is registered, and whether it is on the line.",
  success: Schema.Struct({
    registration: Schema.Literals(["absent", "proposing", "pending", "submitting", "coolingDown", "registered"]),
    profile: Schema.NullOr(
      Schema.Struct({
        claw_id: Schema.String,
        ...ProposalTaken.fields,
        instance_type: Schema.Union([Schema.Finite, Schema.String])
      })
    ),
    pending: Schema.NullOr(Schema.Struct({ proposal_id: Schema.String, proposal: ProposalTaken })),
    /** What went wrong with the registration last. */
    setback: Schema.NullOr(Schema.String),
    /** Null while there is nothing that could connect. */
    connection: Schema.NullOr(
      Schema.Struct({
        phase: Schema.Literals(["disconnected", "connecting", "connected", "reconnecting", "suspect", "blocked"]),
        connected_at: Schema.NullOr(Schema.String),
        last_pong_at: Schema.NullOr(Schema.String),
        retry_at: Schema.NullOr(Schema.String),
        failed_attempts: Schema.Finite,
        failure: Schema.NullOr(Schema.String)
      })
    ),
    next
  }),
  failure: ToolFailure,
  failureMode: "return"
})
  .annotate(Tool.Title, "Show the registration and connection")
  .annotate(Tool.Readonly, true)
  .annotate(Tool.Destructive, false)
  .annotate(Tool.Idempotent, true)
  .annotate(Tool.OpenWorld, false)

/** All of them. A host with a toolkit of its own (MCP) takes it whole. */
export const toolkit = Toolkit.make(
  proposeRegistration,
  registerIdentity,
  getPluginProfile,
  TaskTools.listTasks,
  TaskTools.grabTask,
  TaskTools.submitDeliverable,
  TaskTools.uploadArtifact
)

export type ToolName = keyof typeof toolkit.tools

/** Where schemas stand inside a schema: under these keys, alone or as a list ... */
const nested = new Set(["items", "prefixItems", "anyOf", "oneOf", "allOf", "additionalProperties"])
/** ... and under these by name. */
const named = new Set(["properties", "$defs", "definitions"])

/** Says of every object in a schema that it has no other keys, where it does not say which kind others have. */
const closed = (schema: Json): Json => {
  const inner = Object.entries(schema).map(([key, value]) => {
    if (nested.has(key) && Array.isArray(value)) return [key, value.map((one) => (isRecord(one) ? closed(one) : one))]
    if (nested.has(key) && isRecord(value)) return [key, closed(value)]
    if (!named.has(key) || !isRecord(value)) return [key, value]
    return [
      key,
      Object.fromEntries(Object.entries(value).map(([name, one]) => [name, isRecord(one) ? closed(one) : one]))
    ]
  })
  const isObject = schema["type"] === "object" || isRecord(schema["properties"])
  return {
    ...Object.fromEntries(inner),
    ...(isObject && !isRecord(schema["additionalProperties"]) ? { additionalProperties: false } : {})
  }
}

/**
 * The JSON Schema of a tool's parameters, closed at every depth: effect/ai leaves objects open. `properties` is there
 * also where a tool has none: some model servers refuse an object without them.
 */
export const parametersOf = (tool: Tool.Any): JsonSchema.JsonSchema =>
  closed({ properties: {}, ...Tool.getJsonSchema(tool) })
