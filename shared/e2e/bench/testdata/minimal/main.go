// Command minimal takes one snapshot through the SDK and does nothing else: the baseline of a binary's size.
package main

import (
	"fmt"
	"os"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	swas_open "github.com/aliyun/alibaba-cloud-sdk-go/services/swas-open"
)

func main() {
	client, err := swas_open.NewClientWithAccessKey("cn-hangzhou", os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"),
		os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET"))
	if err == nil {
		request := swas_open.CreateCreateSnapshotRequest()
		request.Scheme, request.Domain = requests.HTTPS, "swas.cn-hangzhou.aliyuncs.com"
		request.DiskId, request.SnapshotName = os.Getenv("DISK"), os.Getenv("NAME")
		var created *swas_open.CreateSnapshotResponse
		if created, err = client.CreateSnapshot(request); err == nil {
			fmt.Println(created.SnapshotId)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
