package bench

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"io"
	"os"
	"testing"

	"swas-snapshot/shared/e2e/testbed"
)

// The limits of a function's size.
const (
	sizeRatio = 1.35  // of a minimal program that calls CreateSnapshot through the same SDK, both stripped
	zipMax    = 4.5e6 // bytes of a deployment package
)

// TestSize holds each binary, and its deployment package, to its limit.
func TestSize(t *testing.T) {
	t.Parallel()
	minimal := len(binary(t, "minimal"))
	for _, name := range functions {
		content := binary(t, name)
		ratio, packed := float64(len(content))/float64(minimal), zipped(t, content)
		t.Logf("%-6s %.2f MB, %.2f times the minimal program; zipped %.2f MB", name, float64(len(content))/1e6, ratio,
			float64(packed)/1e6)
		if ratio > sizeRatio {
			t.Errorf("%s has %d bytes, %.2f times the %d of a minimal program: at most %.2f", name, len(content), ratio,
				minimal, sizeRatio)
		}
		if packed > zipMax {
			t.Errorf("%s has %d bytes when it is zipped: at most %.0f", name, packed, zipMax)
		}
	}
}

// BenchmarkSize reports the same figures for the table.
func BenchmarkSize(b *testing.B) {
	minimal := len(binary(b, "minimal"))
	for _, name := range functions {
		b.Run(name, func(b *testing.B) {
			content := binary(b, name)
			for b.Loop() {
				_ = zipped(b, content)
			}
			b.ReportMetric(float64(len(content))/1e6, "MB")
			b.ReportMetric(float64(len(content))/float64(minimal), "size/minimal")
			b.ReportMetric(float64(zipped(b, content))/1e6, "zip-MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func binary(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(testbed.Binary(tb, name))
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

// zipped returns the size of a deployment package with a binary in it.
func zipped(tb testing.TB, content []byte) int {
	tb.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	file, err := w.Create("bootstrap")
	if err == nil {
		_, err = file.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return archive.Len()
}
