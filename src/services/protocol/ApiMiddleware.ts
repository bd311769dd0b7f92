/** What stands before the platform's HTTP doors: who is calling, and that what cannot be read is answered in words. */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import { BadRequest, Broken, NotNow, NotSignedIn } from "./ApiErrors.ts"

/** Who is calling, once the token is known. */
export class CurrentPerson extends Context.Service<
  CurrentPerson,
  { readonly userId: string; readonly name: string; readonly createdAt: number }
>()("clawfiber/protocol/CurrentPerson") {}

/** `Authorization: Bearer <token of sign-in | long-lived key>`. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentPerson }>()(
  "clawfiber/protocol/Authorization",
  { security: { bearer: HttpApiSecurity.bearer }, error: [NotSignedIn, NotNow], requiredForClient: true }
) {}

/** A parameter or a body that does not fit is answered in words, with the name of the field. */
export class Readable extends HttpApiMiddleware.Service<Readable>()("clawfiber/protocol/Readable", {
  error: [BadRequest, Broken]
}) {}
