package swas_test

import (
	"testing"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	swas_open "github.com/aliyun/alibaba-cloud-sdk-go/services/swas-open"

	"swas-snapshot/shared/snapshot"
)

var tags = []snapshot.Tag{{Key: "swas-snapshot/token", Value: "sn1-abc"},
	{Key: "swas-snapshot/meta", Value: "daily timer 0123456789abcdef"}}

// BenchmarkCreateSnapshot compares a call through this package with one through the SDK alone, on the same network
// in memory. The client of the SDK is made for each call: sharing one is a data race.
func BenchmarkCreateSnapshot(b *testing.B) {
	b.Run("swas", func(b *testing.B) {
		b.ReportAllocs()
		client, network := newClient(b, reply{200, done})
		for b.Loop() {
			network.queries, network.urls = network.queries[:0], network.urls[:0]
			if _, err := client.CreateSnapshot(b.Context(), snapshot.Request{
				RegionID: region, DiskID: "d-bp18kjxg9ebrhsgi0001", SnapshotName: "daily-web-1",
				ClientToken: "sn1-abc", Tags: tags,
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sdk", func(b *testing.B) {
		b.ReportAllocs()
		network := &wire{script: []reply{{200, done}}}
		for b.Loop() {
			network.queries, network.urls = network.queries[:0], network.urls[:0]
			client, err := swas_open.NewClientWithOptions(region, sdk.NewConfig().WithScheme("HTTPS"),
				&credentials.StsTokenCredential{AccessKeyId: signer.AccessKeyID,
					AccessKeySecret: signer.AccessKeySecret, AccessKeyStsToken: signer.SecurityToken})
			if err != nil {
				b.Fatal(err)
			}
			client.SetTransport(network)
			request := swas_open.CreateCreateSnapshotRequest()
			request.Domain = "swas.cn-hangzhou.aliyuncs.com"
			request.DiskId = "d-bp18kjxg9ebrhsgi0001"
			request.SnapshotName, request.ClientToken = "daily-web-1", "sn1-abc"
			request.Tag = &[]swas_open.CreateSnapshotTag{{Key: tags[0].Key, Value: tags[0].Value},
				{Key: tags[1].Key, Value: tags[1].Value}}
			if _, err := client.CreateSnapshot(request); err != nil {
				b.Fatal(err)
			}
		}
	})
}
