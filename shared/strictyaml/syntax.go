package strictyaml

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// syntax reports an error of the YAML library at the line that broke the file. The line in its text is often that of the
// mapping around the defect.
func (p *parser) syntax(data []byte, err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.HasPrefix(text, "line ") {
		_, text, _ = strings.Cut(text, ": ")
	}
	if strings.HasSuffix(text, "expected alphabetic or numeric character") {
		text += ": write text that begins with * or & in quotes"
	}
	p.fail(Place{Line: brokenLine(data)}, "is not YAML: %s", text)
}

// bytesTried limits the work that goes into finding the line of a defect, for a file that is something else altogether.
const bytesTried = 4 << 20

// brokenLine returns the line after the longest part of the file that the parser takes: the first line that is wrong,
// or on which the bracket or quote begins that is never closed. It returns 0 if the file is too long to find it.
func brokenLine(data []byte) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	end, tried := len(data), 0
	for n := len(lines); n > 1; n-- {
		end -= len(lines[n-1])
		tried += end
		switch {
		case tried > bytesTried:
			return 0
		case parses(data[:end]):
			return n
		}
	}
	return 1
}

// parses tells whether data is YAML, of any number of documents.
func parses(data []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var node yaml.Node
		if err := decoder.Decode(&node); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
