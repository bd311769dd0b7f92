import * as Redacted from "effect/Redacted"
import type { Profile } from "../../../../src/services/channel/ProfileStore.ts"

export const profile = (over: Partial<Profile> = {}): Profile => ({
  app_key: "key-1",
  app_secret: Redacted.make("s3cr3t-of-the-old"),
  claw_id: "claw-1",
  name: "Ada",
  description: "counts",
  avatar: "",
  hourly_rate: 12.5,
  scene_tags: ["02001"],
  custom_tags: ["maths"],
  instance_type: 0,
  origin: "https://claw.int-os.com",
  extra: {},
  ...over
})

/** A profile as plain data, secret included, to compare. */
export const plain = (value: Profile) => ({ ...value, app_secret: Redacted.value(value.app_secret) })
