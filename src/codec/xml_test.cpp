#include "codec/xml.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

/// Writes down what it hears: "<a x=1>" "text" "</>@end".
class Transcript final : public XmlEvents {
 public:
  bool open(XmlTag const& tag) override {
    text_ += "<";
    if (!tag.space.empty()) text_.append("{").append(tag.space).append("}");
    text_.append(tag.name);
    for (auto const& attribute : tag.attributes) {
      text_ += " ";
      if (!attribute.space.empty()) text_.append("{").append(attribute.space).append("}");
      text_.append(attribute.name).append("=").append(attribute.value);
    }
    text_.append("@").append(std::to_string(tag.begin)).append(">");
    return ++opened_ != stop_at_;
  }
  bool text(std::string_view text) override {
    text_.append(text);
    return true;
  }
  bool close(std::size_t end) override {
    text_.append("</@").append(std::to_string(end)).append(">");
    return true;
  }

  void stop_at(std::size_t opened) { stop_at_ = opened; }
  std::string const& heard() const { return text_; }

 private:
  std::string text_;
  std::size_t opened_ = 0;
  std::size_t stop_at_ = 0;
};

std::string heard(std::string_view text, XmlLimits const& limits = {}, XmlForm form = XmlForm::kDocument) {
  Transcript transcript;
  auto const scanned = scan_xml(text, form, limits, transcript);
  return scanned.has_value() ? transcript.heard() : "error: " + std::string(scanned.error().message());
}

TEST(ScanXml, TellsElementsAttributesTextAndPlaces) {
  EXPECT_EQ(heard("<a x='1' y=\"&lt;&#65;&#x1F600;\">b<c/>&amp;<![CDATA[<d>]]></a>"),
            "<a x=1 y=<A\U0001F600@0>b<c@33></@37>&<d></@61>");
}

TEST(ScanXml, ResolvesNamespaces) {
  EXPECT_EQ(heard("<a xmlns='urn:a' xmlns:p='urn:p' p:x='1' x='2'><p:b xml:lang='de'/><c xmlns=''/></a>"),
            "<{urn:a}a {urn:p}x=1 x=2@0>"
            "<{urn:p}b {http://www.w3.org/XML/1998/namespace}lang=de@47></@67><c@67></@80></@84>");
}

TEST(ScanXml, PassesOverCommentsDeclarationAndByteOrderMark) {
  EXPECT_EQ(heard("\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><!-- x --><a><!-- y --></a>"),
            "<a@51></@68>");
}

TEST(ScanXml, RefusesWhatARecordNeverNeeds) {
  EXPECT_EQ(heard("<!DOCTYPE a><a/>"), "error: the XML text has a document type");
  EXPECT_EQ(heard("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"),
            "error: the XML text has a document type");
  EXPECT_EQ(heard("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>"),
            "error: the XML text has a document type");
  EXPECT_EQ(heard("<!DOCTYPE a [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><a>&b;</a>"),
            "error: the XML text has a document type");
  EXPECT_EQ(heard("<?xml-stylesheet href=\"x\"?><a/>"), "error: the XML text has a processing instruction");
  EXPECT_EQ(heard("<a><?php x?></a>"), "error: the XML text has a processing instruction");
  EXPECT_EQ(heard("<a>&nbsp;</a>"), "error: the XML text has an entity that is none of XML's own five");
  EXPECT_EQ(heard("<a x='&x;'/>"), "error: the XML text has an entity that is none of XML's own five");
}

TEST(ScanXml, ReadsUtf8Alone) {
  EXPECT_EQ(heard("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>"), "error: the XML text is not UTF-8");
  EXPECT_EQ(heard("<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>"), "error: the XML text is not UTF-8");
  EXPECT_EQ(heard("<?xml version=\"1.1\"?><a/>"), "error: the XML text is not XML 1.0");
  for (std::string_view const text :
       {std::string_view("\xFF\xFE<\0a\0/\0>\0", 10), std::string_view("\0<\0a\0/\0>", 8),
        std::string_view("<a>\xC0\xAF</a>"), std::string_view("<a>\xED\xA0\x80</a>"),
        std::string_view("<a>\xEF\xBF\xBF</a>"), std::string_view("<a>\xFC</a>"),
        std::string_view("<a>\0</a>", 8), std::string_view("<a>\x01</a>"), std::string_view("<a>&#0;</a>"),
        std::string_view("<a>&#xFFFF;</a>"), std::string_view("<a>&#x110000;</a>")}) {
    EXPECT_TRUE(heard(text).starts_with("error: ")) << text;
  }
}

TEST(ScanXml, RefusesWhatIsNotWellFormed) {
  EXPECT_EQ(heard("<a x='1' x='2'/>"), "error: an XML element has the same attribute twice");
  EXPECT_EQ(heard("<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>"),
            "error: an XML element has the same attribute twice");
  EXPECT_EQ(heard("<p:a/>"), "error: a prefix of the XML text stands for no namespace");
  for (auto const* text : {"",
                           " ",
                           "<a>",
                           "<a></b>",
                           "<a/><b/>",
                           "<a/>x",
                           "x<a/>",
                           "<a x=1/>",
                           "<a x/>",
                           "<a x='<'/>",
                           "<a>]]></a>",
                           "<a><!-- -- --></a>",
                           "<a x='1'y='2'/>",
                           "<1/>",
                           "<a",
                           "<a>&amp</a>",
                           " <?xml version='1.0'?><a/>",
                           "<a xmlns:xml='u'/>",
                           "<a xmlns:p=''/>",
                           "<a:b:c xmlns:a='u'/>"}) {
    EXPECT_TRUE(heard(text).starts_with("error: ")) << text;
  }
}

TEST(ScanXml, HoldsItsLimits) {
  EXPECT_EQ(heard("<a><a/></a>", {.depth = 1}), "error: the XML text is too deep");
  EXPECT_EQ(heard("<a></a>", {.depth = 1}), "<a@0></@7>");
  EXPECT_EQ(heard("<a></a>", {.size_bytes = 6}), "error: the XML text is too large");
  EXPECT_EQ(heard("<a x='' y=''/>", {.attributes = 1}), "error: an XML element has too many attributes");
  EXPECT_EQ(heard("<a xmlns='12345'/>", {.namespace_bytes = 4}),
            "error: the XML text has a namespace that is too long");
  EXPECT_EQ(heard("<a xmlns:p='1'><b xmlns:p='2'/></a>", {.prefixes = 1}),
            "error: the XML text declares too many prefixes");
  // Every narrative declares the default namespace.
  EXPECT_EQ(heard("<a xmlns='1'><b xmlns='2'/></a>", {.prefixes = 0}), "<{1}a@0><{2}b@13></@27></@31>");
  std::string deep;
  for (std::size_t i = 0; i < 1'000'000; ++i) deep += "<a>";
  EXPECT_EQ(heard(deep), "error: the XML text is too deep");
}

TEST(ScanXml, TakesAsAFragmentWhatCanStandInsideADocument) {
  EXPECT_EQ(heard(" <!-- x --> <a/> ", {}, XmlForm::kFragment), "<a@12></@16>");
  for (auto const* text :
       {"<?xml version=\"1.0\"?><a/>", "\xEF\xBB\xBF<a/>", "", "  ", "x<a/>", "<a/>x", "<a/><a/>"}) {
    EXPECT_TRUE(heard(text, {}, XmlForm::kFragment).starts_with("error: ")) << text;
  }
}

TEST(ScanXml, EndsWhenItsListenerHasHeardEnough) {
  Transcript transcript;
  transcript.stop_at(2);
  ASSERT_TRUE(scan_xml("<a><b/><c/></a", XmlForm::kDocument, {}, transcript).has_value());
  EXPECT_EQ(transcript.heard(), "<a@0><b@3>");
}

}  // namespace
}  // namespace tacenda::codec
