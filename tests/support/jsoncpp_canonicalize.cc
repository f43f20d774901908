// For integration tests: the canonical form as aktualizr has it, by jsoncpp itself. Each line of
// stdin is a document; the line of stdout that answers it is its compact form in hex.
#include <cstdio>
#include <iostream>
#include <json/json.h>
#include <memory>
#include <string>

int main()
{
	Json::CharReaderBuilder reader_builder;
	std::unique_ptr<Json::CharReader> reader(reader_builder.newCharReader());
	Json::StreamWriterBuilder writer_builder;
	std::string line;

	writer_builder["indentation"] = "";
	while (std::getline(std::cin, line)) {
		Json::Value value;
		std::string errors;

		if (!reader->parse(line.data(), line.data() + line.size(), &value, &errors)) {
			std::cout << "refused\n";
			continue;
		}
		for (unsigned char byte : Json::writeString(writer_builder, value))
			std::printf("%02x", byte);
		std::printf("\n");
	}
	return 0;
}
