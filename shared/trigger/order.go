package trigger

import (
	"cmp"
	"reflect"
	"time"

	"swas-snapshot/shared/snapshot"
)

// exampleOrder is an order that an error message shows as an example.
const exampleOrder = `{"target":"web-1","role":"deploy","key":"build-42"}`

// orderForm is an order as users and pipelines write it.
type orderForm struct {
	Target string        `json:"target" required:"true"`
	Role   string        `json:"role"`
	Reason string        `json:"reason"`
	Key    string        `json:"key" empty:"no"`
	Time   time.Time     `json:"time" empty:"no"` // of the event
	MaxAge time.Duration `json:"maxAge"`
	DryRun bool          `json:"dryRun"`
}

// requestForm is a [snapshot.Request] as the API writes its parameters.
type requestForm struct {
	RegionID        string         `json:"RegionId"`
	DiskID          string         `json:"DiskId"`
	SnapshotName    string         `json:"SnapshotName"`
	ClientToken     string         `json:"ClientToken"`
	Tags            []snapshot.Tag `json:"Tag"`
	ResourceGroupID string         `json:"ResourceGroupId"`
}

var (
	orderFields   = fieldNames(reflect.TypeFor[orderForm]())
	requestFields = fieldNames(reflect.TypeFor[requestForm]())
)

// looksLikeOrder reports whether an object has what every order has, or nothing but parameters of the API.
func looksLikeOrder(n node) bool {
	return n.hasAny("target", "DiskId") || len(n.members) > 0 && n.hasOnly(requestFields...)
}

// decodeOrderItem decodes an order in either form and gives it its identity.
func decodeOrderItem(n node, from origin) ([]Item, error) {
	decode := decodeRequest
	if n.hasAny("target") && !n.hasAny("DiskId") {
		decode = decodeOrder
	}
	order, err := decode(n)
	if err != nil {
		return nil, err
	}
	if order.Time.IsZero() {
		order.Time = from.at
	}
	order.Unread, order.Repeated = true, from.repeated
	if order.ExplicitKey {
		order.Sender = "event"
	} else {
		order.Sender, order.Key = from.sender, from.key
	}
	return []Item{{Order: &order}}, nil
}

// DecodeOrder decodes an order in the form of this project, {"target","role","reason","key","time","maxAge","dryRun"};
// target is required. With a key, the order has Key and ExplicitKey; Sender, Tenant and Actor are the caller's to fill.
// time is that of the event, in RFC 3339. maxAge is a duration as Go writes it, which may begin with days: "90m", "2d".
// The values of the other fields are checked by [snapshot.Order.Validate]. The error is a [*snapshot.Error] with Code
// [snapshot.CodeMalformed].
func DecodeOrder(data []byte) (snapshot.Order, error) {
	order, err := decodeOrder(parse(data, fold))
	return order, expecting(err, "an order such as "+exampleOrder)
}

func decodeOrder(n node) (snapshot.Order, error) {
	var form orderForm
	if err := n.fill(&form, true); err != nil {
		return snapshot.Order{}, err
	}
	return snapshot.Order{
		Target:      form.Target,
		Role:        form.Role,
		Reason:      form.Reason,
		Key:         form.Key,
		ExplicitKey: form.Key != "",
		Time:        form.Time,
		MaxAge:      form.MaxAge,
		DryRun:      form.DryRun,
	}, nil
}

func decodeRequest(n node) (snapshot.Order, error) {
	var form requestForm
	if err := n.fill(&form, true); err != nil {
		return snapshot.Order{}, err
	}
	if form.DiskID == "" {
		// The core would miss a target, too; here the caller writes the API's own parameters.
		request := snapshot.Request(form)
		request.RegionID = cmp.Or(form.RegionID, "cn-hangzhou")
		request.SnapshotName = cmp.Or(form.SnapshotName, "generated")
		return snapshot.Order{}, snapshot.AsError(request.Validate())
	}
	return snapshot.Order{
		RegionID:        form.RegionID,
		DiskID:          form.DiskID,
		SnapshotName:    form.SnapshotName,
		ClientToken:     form.ClientToken,
		Tags:            form.Tags,
		ResourceGroupID: form.ResourceGroupID,
	}, nil
}
