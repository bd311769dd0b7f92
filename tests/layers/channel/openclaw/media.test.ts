import { assert, describe, it } from "@effect/vitest"
import { isAddress, mediaOf, notForStrangers, notSent } from "../../../../src/layers/channel/openclaw/Media.ts"

const namesOf = (...mediaUrls: ReadonlyArray<string>) => mediaOf({ mediaUrls }).map(({ name }) => name)

describe("files of an answer", () => {
  it("each once, in order, however the host names them", () => {
    assert.deepStrictEqual(mediaOf({}), [])
    assert.deepStrictEqual(mediaOf({ mediaUrl: " " }), [])
    assert.deepStrictEqual(mediaOf({ mediaUrl: "/a/x.txt" }), [{ url: "/a/x.txt", name: "x.txt" }])
    assert.deepStrictEqual(namesOf("/a/x.txt", "/b/y.txt", "/a/x.txt"), ["x.txt", "y.txt"])
    assert.deepStrictEqual(
      mediaOf({ mediaUrl: "/a/1.txt", mediaUrls: ["/a/1.txt"], attachments: [{ name: "One.txt" }] }),
      [{ url: "/a/1.txt", name: "One.txt" }]
    )
  })

  it("law secret: the name is one, without a folder, a line break or Markdown", () => {
    assert.deepStrictEqual(
      namesOf(
        "/home/ada/secret/plan.pdf",
        "C:\\Users\\ada\\plan.pdf",
        "file:///home/ada/%5Bdraft%5D%20one.txt",
        "https://example.com/pictures/a%2Fb.png?token=1",
        "/tmp/evil](x)\n`code`.txt",
        "data:text/plain;base64,AAAA",
        "/folder/"
      ),
      ["plan.pdf", "plan.pdf", "(draft) one.txt", "b.png", "evil)(x) code .txt", "", ""]
    )
    assert.deepStrictEqual(mediaOf({ mediaUrl: "/a/b", attachments: [{ name: "../../etc/passwd" }] }), [
      { url: "/a/b", name: "passwd" }
    ])
  })

  it("what is not sent is named, or called a file", () => {
    const [named, nameless] = mediaOf({ mediaUrls: ["/a/x.txt", "data:,1"] })
    assert.isDefined(named)
    assert.isDefined(nameless)
    if (named === undefined || nameless === undefined) return
    assert.match(notSent(named), /^The file x\.txt belongs to this answer/)
    assert.match(notForStrangers(nameless), /^A file was not sent/)
    assert.deepStrictEqual(
      ["https://e.example/a", "HTTP://e.example/a", "ftp://e.example/a", "/a", "data:,1"].map((url) =>
        isAddress({ url, name: "" })
      ),
      [true, true, false, false, false]
    )
  })
})
