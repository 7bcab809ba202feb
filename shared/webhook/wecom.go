package webhook

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// wecom speaks to the message callback of WeCom (Enterprise WeChat) apps: everything is encrypted, both ways.
//
// Rules: developer.work.weixin.qq.com/document/path/90930 and 90238 to 90241.
type wecom struct{ keys callbackKeys }

func openWeCom(secrets Secrets) (sender, error) {
	keys, err := readCallbackKeys(secrets)
	return wecom{keys}, err
}

func (w wecom) verify(r *request) error {
	encrypted := r.oneOf("echostr")
	if r.method != http.MethodGet {
		encrypted = peekEncrypt(r.body)
	}
	if err := w.keys.verify(r, encrypted); err != nil {
		return err
	}
	if r.method != http.MethodGet {
		if fields, err := flatXML(r.body); err != nil || fields["Encrypt"] != encrypted {
			return refuse("the body is not readable")
		}
	}
	return nil
}

// peekEncrypt finds the cipher text in the body at little cost: XML is not worth parsing before the signature is
// right. What it finds is compared with what the parser finds.
func peekEncrypt(body string) string {
	_, rest, _ := strings.Cut(body, "<Encrypt>")
	text, _, _ := strings.Cut(rest, "</Encrypt>")
	if inner, ok := strings.CutPrefix(text, "<![CDATA["); ok {
		text = strings.TrimSuffix(inner, "]]>")
	}
	return text
}

func (w wecom) parse(r *request) (inbound, error) {
	if r.method == http.MethodGet {
		return handshake{mediaText, []byte(r.plain)}, nil
	}
	m, err := flatXML(r.plain)
	if err != nil {
		return nil, err
	}
	if m["MsgType"] != "text" {
		return handshake{mediaText, nil}, nil // nothing in it means: no reply, and no retry
	}
	seconds, _ := strconv.ParseInt(m["CreateTime"], 10, 64)
	a := ask{
		tenant: r.opened.owner, channel: m["AgentID"], actor: m["FromUserName"],
		text: m["Content"], key: snapshot.ComposedKey("message", m["AgentID"], m["MsgId"]),
	}
	if seconds > 0 {
		a.time = time.Unix(seconds, 0)
	}
	return a, required(map[string]string{"FromUserName": a.actor, "AgentID": a.channel, "MsgId": m["MsgId"]})
}

// passiveReply is the text message that answers a message; WeCom knows no other form in time.
type passiveReply struct {
	XMLName xml.Name `xml:"xml"`
	To      string   `xml:"ToUserName"`
	From    string   `xml:"FromUserName"`
	Created int64    `xml:"CreateTime"`
	Type    string   `xml:"MsgType"`
	Content string   `xml:"Content"`
}

// wecomTextMax is how many bytes of text a passive reply may have.
const wecomTextMax = 2048

func (wecom) render(r *request, a ask, p reply) (answer, error) {
	plain, err := xml.Marshal(passiveReply{
		To: a.actor, From: a.tenant, Created: r.now.Unix(), Type: "text", Content: clipBytes(p.text(), wecomTextMax),
	})
	if err != nil {
		return answer{}, err
	}
	sealed, err := r.opened.seal(r.random, r.now, string(plain))
	if err != nil {
		return answer{}, err
	}
	body, err := xml.Marshal(sealed)
	return answer{"application/xml; charset=utf-8", body}, err
}

var errXML = errors.New("the XML is not one level of distinct elements in <xml>")

// flatXML reads <xml><Name>text</Name>...</xml>. Doubled elements are refused (encoding/xml would take the last one,
// other readers the first), and so are attributes, deeper elements, DTDs and processing instructions: WeCom sends none
// in text messages. Other messages may nest; what nests is passed over.
func flatXML(text string) (map[string]string, error) {
	decoder := xml.NewDecoder(strings.NewReader(text))
	decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errXML }
	fields := map[string]string{}
	var path []string
	var content strings.Builder
	closed := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && closed {
			return fields, nil
		}
		if err != nil {
			return nil, malformedXML()
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			if closed || len(token.Attr) > 0 || token.Name.Space != "" || len(path) == 0 && name != "xml" || len(path) >= xmlDepth {
				return nil, malformedXML()
			}
			if len(path) == 1 {
				if _, twice := fields[name]; twice || len(fields) >= formMax {
					return nil, malformedXML()
				}
				fields[name] = ""
				content.Reset()
			}
			path = append(path, name)
		case xml.EndElement:
			if len(path) == 2 {
				fields[path[1]] = content.String()
			}
			path = path[:len(path)-1]
			closed = len(path) == 0
		case xml.CharData:
			if len(path) == 2 {
				content.Write(token)
			} else if len(path) < 2 && strings.TrimSpace(string(token)) != "" {
				return nil, malformedXML()
			}
		case xml.Directive, xml.ProcInst:
			return nil, malformedXML()
		}
	}
}

// xmlDepth is how deep elements may nest.
const xmlDepth = 32

func malformedXML() error { return malformed("%v", errXML) }
