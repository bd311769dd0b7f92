/**
 * Refusals of the platform's HTTP doors as they travel: `{code, message, data: null}`, the status beside it. `code` is
 * the HTTP status times one hundred, as in the bot API. `message` is for people: what happened, what it means, what
 * to do. `param` names the field at fault.
 */
import * as Schema from "effect/Schema"

const body = {
  message: Schema.String,
  data: Schema.Null,
  param: Schema.optionalKey(Schema.String)
}

/** What was sent cannot be used; `param` says which field. */
export class BadRequest extends Schema.Error<BadRequest>("BadRequest")(
  { code: Schema.Literal(40000), ...body },
  { httpApiStatus: 400 }
) {}

/** No token, or one that is not known here. */
export class NotSignedIn extends Schema.Error<NotSignedIn>("NotSignedIn")(
  { code: Schema.Literal(40100), ...body },
  { httpApiStatus: 401 }
) {}

/** Known, but this door is not open to you. */
export class NotAllowed extends Schema.Error<NotAllowed>("NotAllowed")(
  { code: Schema.Literal(40300), ...body },
  { httpApiStatus: 403 }
) {}

/** No such thing, or not yours. */
export class NoSuchThing extends Schema.Error<NoSuchThing>("NoSuchThing")(
  { code: Schema.Literal(40400), ...body },
  { httpApiStatus: 404 }
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

export type ApiError = BadRequest | NotSignedIn | NotAllowed | NoSuchThing | TooLarge | TooMany | Broken | NotNow

const make = {
  400: (message: string, param?: string) =>
    new BadRequest({ code: 40000, message, data: null, ...(param === undefined ? {} : { param }) }),
  401: (message: string) => new NotSignedIn({ code: 40100, message, data: null }),
  403: (message: string) => new NotAllowed({ code: 40300, message, data: null }),
  404: (message: string) => new NoSuchThing({ code: 40400, message, data: null }),
  413: (message: string) => new TooLarge({ code: 41300, message, data: null }),
  429: (message: string) => new TooMany({ code: 42900, message, data: null }),
  500: (message: string) => new Broken({ code: 50000, message, data: null }),
  503: (message: string) => new NotNow({ code: 50300, message, data: null })
} as const

/** The refusal of one HTTP status, in words. */
export const refuse = make
