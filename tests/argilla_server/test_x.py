def test_a(searched):
    print(searched.find()); print(searched.find(me=searched.annotator)); print(searched.find(query={"text":{"q":"cat"}}))
