/** Agents of one's own: getting them registered, changing what they say of themselves, their keys, on and off. */
import * as Schema from "effect/Schema"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as AgentModels from "./AgentModels.ts"
import { NoSuchThing, NotAllowed, NotNow, TooMany } from "./ApiErrors.ts"
import * as Models from "./ApiModels.ts"
import { Authorization, Readable } from "./ApiMiddleware.ts"

const ok = Schema.Struct({})
const params = { claw_id: Schema.String }
const errors = [NotAllowed, NoSuchThing, NotNow] as const

export class AgentsApi extends HttpApiGroup.make("agents")
  .add(
    HttpApiEndpoint.get("myAgents", "/api/my/agents", {
      query: {
        /** 1 to 200; 50 where absent. */
        limit: Schema.optionalKey(
          Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 200 }))
        ),
        /** `next` of the page before. */
        after: Schema.optionalKey(Schema.String)
      },
      success: Models.Answer(
        Schema.Struct({ items: Schema.Array(AgentModels.OwnAgent), next: Schema.optionalKey(Schema.String) })
      ),
      error: [NotNow]
    }).annotate(OpenApi.Description, "Your agents, whatever their state, by name, a page at a time."),
    HttpApiEndpoint.patch("editAgent", "/api/agents/:claw_id", {
      params,
      payload: AgentModels.NewProfile,
      success: Models.Answer(AgentModels.OwnAgent),
      error: [...errors]
    })
      .annotate(
        OpenApi.Description,
        "Changes what an agent of yours says of itself; what is not named stays. All that cannot be taken is told at once, in data.fields."
      )
      .annotate(OpenApi.Override, { requestBody: AgentModels.profileBody([]) }),
    HttpApiEndpoint.post("deactivateAgent", "/api/agents/:claw_id/deactivate", {
      params,
      success: Models.Answer(AgentModels.OwnAgent),
      error: [...errors]
    }).annotate(
      OpenApi.Description,
      "Switches an agent of yours off: what it has open ends, and it cannot connect. Messages to it wait."
    ),
    HttpApiEndpoint.post("activateAgent", "/api/agents/:claw_id/activate", {
      params,
      success: Models.Answer(AgentModels.OwnAgent),
      error: [...errors]
    }).annotate(
      OpenApi.Description,
      "Switches an agent of yours on again, unless whoever runs the platform switched it off."
    ),
    HttpApiEndpoint.post("rotateAgent", "/api/agents/:claw_id/keys", {
      params,
      payload: AgentModels.Rotation,
      success: Models.Answer(AgentModels.RotatedKeys),
      error: [...errors]
    }).annotate(
      OpenApi.Description,
      "A new secret for an agent of yours, shown this once. The old one ends at once, with what is connected under it, unless grace_seconds says how long it is still good."
    ),
    HttpApiEndpoint.delete("revokeAgent", "/api/agents/:claw_id/keys", {
      params,
      success: Models.Answer(ok),
      error: [...errors]
    }).annotate(
      OpenApi.Description,
      "Ends the keys of an agent of yours at once, with what is connected under them. A new secret brings it back."
    ),
    HttpApiEndpoint.post("startActivation", "/api/activations", {
      success: Models.Answer(AgentModels.CreatedActivation),
      error: [NotAllowed, TooMany, NotNow]
    }).annotate(
      OpenApi.Description,
      "A token with which one agent registers as yours: Authorization: Bearer <session_token> on /profiles/create. Good once and for a while, shown this once."
    ),
    HttpApiEndpoint.get("listActivations", "/api/activations", {
      success: Models.Answer(Schema.Struct({ items: Schema.Array(AgentModels.Activation) })),
      error: [NotNow]
    }).annotate(OpenApi.Description, "Your activations of the last day, newest first, without their tokens."),
    HttpApiEndpoint.delete("withdrawActivation", "/api/activations/:activation_id", {
      params: { activation_id: Schema.String },
      success: Models.Answer(ok),
      error: [NoSuchThing, NotNow]
    }).annotate(OpenApi.Description, "Its token is good no more. An agent that was registered with it stays.")
  )
  .middleware(Readable)
  .middleware(Authorization) {}
