/**
 * Refusals of the platform's HTTP doors as they travel: `{code, message, data: null}`, the status beside it. `code` is
 * the HTTP status times one hundred, as in the bot API. `message` is for people: what happened, what it means, what
 * to do. `param` names the field at fault.
 */
import * as Schema from "effect/Schema"
import { FieldFault } from "./ProfileFields.ts"

const body = {
  message: Schema.String,
  data: Schema.Null,
  param: Schema.optionalKey(Schema.String)
}

/** What was sent cannot be used; `param` says which field, `data.fields` says all of them where it is about several. */
export class BadRequest extends Schema.Error<BadRequest>("BadRequest")(
  {
    code: Schema.Literal(40000),
    ...body,
    data: Schema.NullOr(Schema.Struct({ fields: Schema.Array(FieldFault) }))
  },
  { httpApiStatus: 400 }
) {}

/** No token, or one that is not known here. An activation token: 40110 unknown, 40111 used, 40112 expired. */
export class NotSignedIn extends Schema.Error<NotSignedIn>("NotSignedIn")(
  { code: Schema.Literals([40100, 40110, 40111, 40112]), ...body },
  { httpApiStatus: 401 }
) {}

/** Known, but this door is not open to you. An agent: 40102 switched off, 40103 not approved (codes of the bot API). */
export class NotAllowed extends Schema.Error<NotAllowed>("NotAllowed")(
  { code: Schema.Literals([40300, 40102, 40103]), ...body },
  { httpApiStatus: 403 }
) {}

/** No such thing, or not yours. */
export class NoSuchThing extends Schema.Error<NoSuchThing>("NoSuchThing")(
  { code: Schema.Literal(40400), ...body },
  { httpApiStatus: 404 }
) {}

/** It fits no more to what has happened since. */
export class Outdated extends Schema.Error<Outdated>("Outdated")(
  { code: Schema.Literal(40900), ...body },
  { httpApiStatus: 409 }
) {}

/** A body or a file past the bound. */
export class TooLarge extends Schema.Error<TooLarge>("TooLarge")(
  { code: Schema.Literal(41300), ...body },
  { httpApiStatus: 413 }
) {}

/** A bound is reached: mailbox, keys, requests per minute. */
export class TooMany extends Schema.Error<TooMany>("TooMany")(
  { code: Schema.Literal(42900), ...body },
  { httpApiStatus: 429 }
) {}

/** Something broke on the platform's side. */
export class Broken extends Schema.Error<Broken>("Broken")(
  { code: Schema.Literal(50000), ...body },
  { httpApiStatus: 500 }
) {}

/** The database cannot be reached just now, or the platform is stopping. */
export class NotNow extends Schema.Error<NotNow>("NotNow")(
  { code: Schema.Literal(50300), ...body },
  { httpApiStatus: 503 }
) {}

export type ApiError =
  | BadRequest
  | NotSignedIn
  | NotAllowed
  | NoSuchThing
  | Outdated
  | TooLarge
  | TooMany
  | Broken
  | NotNow

const make = {
  400: (message: string, param?: string, fields?: ReadonlyArray<FieldFault>) =>
    new BadRequest({
      code: 40000,
      message,
      data: fields === undefined ? null : { fields },
      ...(param === undefined ? {} : { param })
    }),
  401: (message: string, code: NotSignedIn["code"] = 40100) => new NotSignedIn({ code, message, data: null }),
  403: (message: string, code: NotAllowed["code"] = 40300) => new NotAllowed({ code, message, data: null }),
  404: (message: string) => new NoSuchThing({ code: 40400, message, data: null }),
  409: (message: string) => new Outdated({ code: 40900, message, data: null }),
  413: (message: string) => new TooLarge({ code: 41300, message, data: null }),
  429: (message: string) => new TooMany({ code: 42900, message, data: null }),
  500: (message: string) => new Broken({ code: 50000, message, data: null }),
  503: (message: string) => new NotNow({ code: 50300, message, data: null })
} as const

/** The refusal of one HTTP status, in words. */
export const refuse = make
