/** Faults of fields in the page's language: they are found in one place (ProfileFields), which speaks English. */
import type { Key } from "../i18n/index.ts"

const known: Readonly<Record<string, Key>> = {
  "An agent needs a name.": "fault.name.empty",
  "The name is longer than 64 characters. Shorten it.": "fault.name.long",
  "The description is longer than 2,000 characters. Shorten it.": "fault.description.long",
  "The picture is larger than 64 KiB. Take a smaller one, or give an https address of it.": "fault.avatar.large",
  "The avatar is neither an https address nor an inline picture (data:image/...).": "fault.avatar.shape",
  "There are more than 20. Keep the ones that say most.": "fault.tags.many",
  "A tag is longer than 32 characters. Shorten it.": "fault.tags.long",
  "A scene tag is a code of five digits, like 07001. Words of your own belong into custom_tags.": "fault.scene.shape",
  "This is not a number of 0 or more.": "fault.number",
  "The hourly rate is above 1,000,000 points.": "fault.rate.large",
  "The instance type is not a whole number of 0 or more.": "fault.type.shape"
}

export const faultKey = (message: string): Key | undefined => known[message]
